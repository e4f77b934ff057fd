// Collections: made here from many files, listed and deleted; a method's form offers them. Pictures go
// up in several requests, each of which the server takes whole or not at all.

import { $, ask, getJson, make, show } from "./page.js";

const AT_ONCE = 50;       // pictures of one request
const BYTES = 16_000_000; // and their bytes, where one alone is not larger

const state = { all: [], files: [], stop: null, changed: () => {} };

export const collections = () => state.all;

const at = (id, rest = "") => `collections/${encodeURIComponent(id)}${rest}`;
const sizeText = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

export const titleOfCollection = ({ name, images }) => `${name} (${images} ${images === 1 ? "picture" : "pictures"})`;

function say(error) {
  $("collection-problem").textContent = error ? error.message : "";
  show($("collection-problem"), Boolean(error));
}

function rowOf(one) {
  const remove = make("button", { type: "button", class: "remove", "aria-label": `Delete ${one.name}`, title: "Delete" }, "×");
  let sure = false; // a second press does it
  remove.addEventListener("click", async () => {
    if (!sure) {
      sure = true;
      remove.textContent = "Delete?";
      setTimeout(() => { sure = false; remove.textContent = "×"; }, 4000);
      return;
    }
    try {
      await ask(at(one.id), { method: "DELETE" });
      say(null);
    } catch (error) {
      if (error.status !== 404) say(error);
    }
    await load();
  });
  const add = make("button", { type: "button", class: "add", "aria-label": `Add the chosen pictures to ${one.name}` }, "Add");
  add.addEventListener("click", () => fill(async () => one));
  return make("li", {}, make("span", { class: "name" }, titleOfCollection(one)), make("span", { class: "unit" }, sizeText(one.bytes)), add, remove);
}

// All of them, however many pages the list has.
async function load() {
  const all = [];
  try {
    let cursor = "";
    do {
      const page = await getJson(`collections?limit=1000${cursor && `&cursor=${cursor}`}`);
      all.push(...page.collections);
      ({ cursor } = page);
    } while (cursor);
  } catch (error) {
    if (error.status !== 404) say(error); // 404: this server keeps none
  }
  state.all = all;
  $("collection-list").replaceChildren(...all.map(rowOf));
  refresh();
  state.changed();
}

function refresh() {
  const n = state.files.length;
  $("collection-choose").textContent = n ? `${n} ${n === 1 ? "picture" : "pictures"} chosen` : "choose pictures";
  $("collection-make").disabled = !n || !$("collection-name").value.trim() || Boolean(state.stop);
  for (const add of document.querySelectorAll("#collection-list .add")) {
    show(add, n > 0);
    add.disabled = Boolean(state.stop);
  }
}

function* batches(files) {
  let batch = [];
  let bytes = 0;
  for (const file of files) {
    if (batch.length && (batch.length === AT_ONCE || bytes + file.size > BYTES)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(file);
    bytes += file.size;
  }
  if (batch.length) yield batch;
}

async function upload(id, files, label, signal) {
  let done = 0;
  for (const batch of batches(files)) {
    $("collection-bar").value = done / files.length;
    $("collection-text").textContent = `${done} of ${files.length}`;
    const body = new FormData();
    if (label) body.append("label", label);
    for (const file of batch) body.append("image", file, file.name);
    await ask(at(id, "/images"), { method: "POST", body, signal, headers: { Accept: "application/json" } });
    done += batch.length;
  }
}

const newOne = async () => {
  const body = JSON.stringify({ name: $("collection-name").value.trim() });
  const headers = { Accept: "application/json", "Content-Type": "application/json" };
  return (await ask("collections", { method: "POST", body, headers })).json();
};

// The chosen files go into what `which` gives, with their label. What a stop or a failure leaves of it
// stays, to be gone on with or deleted; an empty one does not.
async function fill(which) {
  const files = state.files;
  const label = $("collection-label").value.trim();
  const controller = new AbortController();
  let made = null;
  state.stop = () => controller.abort();
  say(null);
  refresh();
  show($("collection-job"), true);
  try {
    made = await which();
    await upload(made.id, files, label, controller.signal);
    state.files = [];
    for (const id of ["name", "label", "files"]) $(`collection-${id}`).value = "";
  } catch (error) {
    if (error.name !== "AbortError") say(error);
    if (made && (await getJson(at(made.id)).catch(() => null))?.images === 0) await ask(at(made.id), { method: "DELETE" }).catch(() => {});
    made = null;
  } finally {
    state.stop = null;
    show($("collection-job"), false);
    await load();
    refresh();
  }
  if (made) state.changed(made.id);
}

// The control of a parameter that names a collection.
export function collectionChoice(id, schema) {
  const input = make("select", { id });
  const fill = () => {
    const before = input.value;
    input.replaceChildren(make("option", { value: "" }, "none: the pictures here"), ...state.all.map((one) => make("option", { value: one.id }, titleOfCollection(one))));
    input.value = state.all.some((one) => one.id === before) ? before : schema.default ?? "";
  };
  fill();
  return { input, fill };
}

// changed(id): the list is new; with an id, a collection was just made.
export async function startCollections(changed) {
  state.changed = changed;
  $("collection-files").addEventListener("change", () => { state.files = [...$("collection-files").files]; refresh(); });
  $("collection-name").addEventListener("input", refresh);
  $("collection-name").addEventListener("keydown", (e) => { if (e.key === "Enter" && !$("collection-make").disabled) fill(newOne); });
  $("collection-make").addEventListener("click", () => fill(newOne));
  $("collection-stop").addEventListener("click", () => state.stop?.());
  await load();
}
