// What the parts of the page share: nodes, and talking to the server.

export const $ = (id) => document.getElementById(id);

export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key in node && typeof value !== "string") node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

export const words = (key) => key.replaceAll("_", " ").replaceAll("-", " ");

export function show(node, visible) {
  node.hidden = !visible;
}

// ---- talking to the server ----------------------------------------------------------------------

export class Problem extends Error {
  constructor(detail, { errors = [], status = 0 } = {}) {
    super(detail);
    this.errors = errors;
    this.status = status;
  }
}

const noAnswer = () => new Problem("The server does not answer. Is it running?");

async function problemOf(response) {
  const text = await response.text();
  try {
    const doc = JSON.parse(text);
    return new Problem(doc.detail || doc.title || response.statusText, doc);
  } catch {
    return new Problem(`The server answered ${response.status} ${response.statusText}`, response);
  }
}

// The key, where the server wants one: for this tab only.
export const KEY = "lucida-key";
export const ownKey = () => sessionStorage.getItem(KEY) || "";

export function send(url, { headers = {}, ...options } = {}) {
  const who = ownKey() ? { Authorization: `Bearer ${ownKey()}` } : {};
  return fetch(url, { headers: { ...who, ...headers }, ...options });
}

export async function ask(url, options = {}) {
  let response;
  try {
    response = await send(url, { headers: { Accept: "application/json" }, ...options });
  } catch (error) {
    throw error.name === "AbortError" ? error : noAnswer();
  }
  if (response.status === 401) show($("key-form"), true);
  if (!response.ok) throw await problemOf(response);
  return response;
}

export const getJson = async (url) => (await ask(url)).json();

// Links are followed without a key. With one, what they lead to is fetched and shown in its place.
export function followLinks(links, complain) {
  for (const link of links) {
    link.addEventListener("click", async (e) => {
      if (!ownKey()) return;
      e.preventDefault();
      try {
        const url = URL.createObjectURL(await (await ask(link.href)).blob());
        if (!window.open(url, "_blank")) location.assign(url);
        setTimeout(() => URL.revokeObjectURL(url), 60_000);
      } catch (error) {
        complain(error);
      }
    });
  }
}
