// The browser lab: a form made from GET /methods, one POST, the answer beside the photograph.
// It speaks only the public API and knows no method by name.

const $ = (id) => document.getElementById(id);

// What the page chooses itself, so that one answer brings both the numbers and the pictures.
const ANSWER = { format: "json", embed: "true" };
const NOT_ASKED = new Set([...Object.keys(ANSWER), "quality", "model"]);

const lab = {
  methods: [],
  models: [],
  method: null,
  file: null,
  further: [],         // pictures after the first, for methods that take several
  controls: new Map(), // parameter key -> { input, error, schema }
  urls: [],            // object URLs of the answer that is shown
  running: null,       // AbortController
};

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key in node && typeof value !== "string") node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

const words = (key) => key.replaceAll("_", " ").replaceAll("-", " ");

function show(node, visible) {
  node.hidden = !visible;
}

// ---- talking to the server ----------------------------------------------------------------------

class Problem extends Error {
  constructor(detail, errors = []) {
    super(detail);
    this.errors = errors;
  }
}

async function problemOf(response) {
  const text = await response.text();
  try {
    const doc = JSON.parse(text);
    return new Problem(doc.detail || doc.title || response.statusText, doc.errors || []);
  } catch {
    return new Problem(`The server answered ${response.status} ${response.statusText}`);
  }
}

async function getJson(url) {
  let response;
  try {
    response = await fetch(url, { headers: { Accept: "application/json" } });
  } catch {
    throw new Problem("The server does not answer. Is it running?");
  }
  if (!response.ok) throw await problemOf(response);
  return response.json();
}

// ---- the form -----------------------------------------------------------------------------------

const propertiesOf = (method) => method.parameters.properties;

function control(key, schema) {
  const id = `p-${key}`;
  const type = schema.type;
  let input;
  if (schema.enum) {
    input = make("select", { id });
    for (const value of schema.enum) input.append(make("option", { value: String(value) }, words(String(value))));
    input.value = String(schema.default);
  } else if (type === "boolean") {
    input = make("input", { id, type: "checkbox", checked: schema.default === true });
  } else if (type === "integer" || type === "number") {
    input = make("input", { id, type: "number", step: type === "integer" ? "1" : "any" });
    if (schema.minimum !== undefined) input.min = schema.minimum;
    if (schema.maximum !== undefined) input.max = schema.maximum;
    input.value = schema.default;
  } else {
    input = make("input", { id, type: "text", autocomplete: "off", spellcheck: false });
    input.value = textOf(schema.default);
  }
  const unit = schema["x-unit"];
  const label = make("label", { for: id }, words(key));
  if (unit) label.append(make("span", { class: "unit" }, ` (${unit})`));
  const hint = make("p", { class: "hint", id: `${id}-hint` }, hintOf(schema));
  const error = make("p", { class: "error", id: `${id}-error`, hidden: true });
  input.setAttribute("aria-describedby", `${id}-hint ${id}-error`);
  const check = input.type === "checkbox";
  const field = make("div", { class: check ? "field check" : "field" }, ...(check ? [input, label] : [label, input]), hint, error);
  if (schema.examples?.length) {
    input.setAttribute("list", `${id}-list`);
    field.append(make("datalist", { id: `${id}-list` }, ...schema.examples.map((value) => make("option", { value }))));
  }
  return { field, input, error, schema };
}

function hintOf(schema) {
  const { minimum: low, maximum: high } = schema;
  const bounds = low !== undefined && high !== undefined && high < 1e6 ? `; ${low} to ${high}` : "";
  return (schema.description || "").replace(/\.$/, "") + bounds;
}

const textOf = (value) => (Array.isArray(value) ? value.join(",") : value === undefined ? "" : String(value));

function valueOf({ input }) {
  return input.type === "checkbox" ? String(input.checked) : input.value.trim();
}

const isDefault = (one) => valueOf(one) === textOf(one.schema.default);

function buildForm() {
  const kept = lab.controls;
  lab.controls = new Map();
  $("own").replaceChildren();
  $("shared").replaceChildren();
  for (const [key, schema] of Object.entries(propertiesOf(lab.method))) {
    if (NOT_ASKED.has(key)) continue;
    const one = control(key, schema);
    const before = kept.get(key);
    if (before && JSON.stringify(before.schema) === JSON.stringify(schema)) {
      if (one.input.type === "checkbox") one.input.checked = before.input.checked;
      else one.input.value = before.input.value;
    }
    lab.controls.set(key, one);
    $(schema["x-own"] ? "own" : "shared").append(one.field);
  }
  show($("more"), $("shared").childElementCount > 0);
}

const fits = (model) => !lab.method.needs_classes || model.task === "classify";

// The network that the method asks when none is named.
const usualModel = () => propertiesOf(lab.method).model?.default ?? lab.usualModel;

function buildModels() {
  const chosen = lab.lastUsual === usualModel() ? $("model").value : "";
  lab.lastUsual = usualModel();
  const usable = lab.models.filter((model) => model.installed && fits(model));
  $("model").replaceChildren(...usable.map((model) => make("option", { value: model.name }, model.title || model.name)));
  const wanted = [chosen, usualModel(), lab.usualModel].find((name) => usable.some((model) => model.name === name));
  if (wanted) $("model").value = wanted;
  $("model").disabled = usable.length === 0;
  if (usable.length === 0) {
    $("model").append(make("option", { value: "" }, "none installed that fits"));
  }
}

const answersPicture = (method) => method.answers.includes("image/png");

function chooseMethod() {
  lab.method = lab.methods.find((method) => method.name === $("method").value);
  const { summary = "", paper = "" } = lab.method;
  $("summary").replaceChildren(summary, ...(paper ? [" ", paper] : []));
  buildForm();
  buildModels();
  showFurther();
  clearErrors();
  refresh();
}

function buildMethods() {
  const groups = new Map();
  for (const method of lab.methods) {
    const tag = method.tag || "methods";
    if (!groups.has(tag)) groups.set(tag, make("optgroup", { label: tag }));
    groups.get(tag).append(make("option", { value: method.name }, method.title || words(method.name)));
  }
  $("method").replaceChildren(...groups.values());
  $("method").disabled = false;
  // The first impression: a picture, by the method with the least to set.
  const settings = (method) => Object.values(propertiesOf(method)).filter((schema) => schema["x-own"]).length;
  const [first] = [...lab.methods].sort((a, b) => answersPicture(b) - answersPicture(a) || settings(a) - settings(b));
  $("method").value = new URLSearchParams(location.search).get("method") || first.name;
  if (!$("method").value) $("method").value = first.name;
}

// ---- the request --------------------------------------------------------------------------------

function asked() {
  const fields = [];
  if ($("model").value && $("model").value !== usualModel()) fields.push(["model", $("model").value]);
  for (const [key, one] of lab.controls) if (!isDefault(one)) fields.push([key, valueOf(one)]);
  return fields;
}

const quoted = (text) => (/^[\w./:=,+@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

function curlLine() {
  const name = lab.file ? lab.file.name : "cat.jpg";
  // curl reads ; and , in a file's name as its own, unless the name is in double quotes.
  const path = /[;,"]/.test(name) ? `"${name.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"` : name;
  const parts = ["curl", "-F", quoted(`image=@${path}`)];
  for (const file of furtherAsked()) parts.push("-F", quoted(`image=@${file.name}`));
  for (const [key, value] of asked()) parts.push("-F", quoted(`${key}=${value}`));
  parts.push(quoted(new URL(lab.method.name, location.href).href));
  if (answersPicture(lab.method)) parts.push("-o", quoted(`${lab.method.name}.png`));
  return parts.join(" ");
}

function refresh() {
  $("run").disabled = !lab.file || !lab.method || 1 + furtherAsked().length < lab.method.images.min || Boolean(lab.running) || $("model").disabled;
  show($("command"), Boolean(lab.method));
  if (lab.method) $("curl").textContent = curlLine();
}

function clearErrors() {
  show($("problem"), false);
  show($("model-error"), false);
  $("model").removeAttribute("aria-invalid");
  for (const { input, error } of lab.controls.values()) {
    input.removeAttribute("aria-invalid");
    show(error, false);
  }
}

function showProblem(problem) {
  let first = null;
  const rest = [];
  for (const { parameter, message } of problem.errors || []) {
    const one = parameter === "model" ? { input: $("model"), error: $("model-error") } : lab.controls.get(parameter);
    if (!one) {
      rest.push(message);
      continue;
    }
    one.input.setAttribute("aria-invalid", "true");
    one.error.textContent = message;
    show(one.error, true);
    if (one.input.closest("details")) one.input.closest("details").open = true;
    first = first || one.input;
  }
  if (first) first.focus();
  else {
    $("problem").textContent = rest.join(" ") || problem.message;
    show($("problem"), true);
  }
}

async function run() {
  clearErrors();
  const body = new FormData();
  for (const file of [lab.file, ...furtherAsked()]) body.append("image", file, file.name);
  for (const [key, value] of [...asked(), ...Object.entries(ANSWER)]) body.append(key, value);
  lab.running = new AbortController();
  busy(true);
  const started = performance.now();
  try {
    const response = await fetch(lab.method.name, {
      method: "POST", body, signal: lab.running.signal, headers: { Accept: "application/json" },
    });
    if (!response.ok) throw await problemOf(response);
    const answer = await response.json();
    if (response.status === 202) {
      $("status").textContent = `Accepted as a job: ${response.headers.get("Location") || ""}`;
      return;
    }
    showAnswer(answer);
    $("result").scrollIntoView({ block: "nearest" });
    $("status").textContent = `Done in ${((performance.now() - started) / 1000).toFixed(1)} s`;
  } catch (error) {
    $("status").textContent = error.name === "AbortError" ? "Stopped" : "";
    if (error.name !== "AbortError") {
      showProblem(error instanceof Problem ? error : new Problem("The server does not answer. Is it running?"));
    }
  } finally {
    lab.running = null;
    busy(false);
  }
}

function busy(on) {
  if (on) $("status").textContent = "Running…";
  $("picture").classList.toggle("busy", on);
  $("result").setAttribute("aria-busy", String(on));
  show($("stop"), on);
  refresh();
}

// ---- the answer ---------------------------------------------------------------------------------

function objectUrl(dataUri) {
  const [head, body] = dataUri.split(",", 2);
  const bytes = Uint8Array.from(atob(body), (c) => c.charCodeAt(0));
  const url = URL.createObjectURL(new Blob([bytes], { type: head.slice(5).split(";")[0] }));
  lab.urls.push(url);
  return url;
}

// Sorts what a method found into pictures, tables and facts, in the order it came.
function sortOut(result) {
  const found = { pictures: [], tables: [], facts: [] };
  for (const [key, value] of Object.entries(result)) {
    if (Array.isArray(value)) found.tables.push([key, value]);
    else if (value && typeof value === "object") {
      if (value.data) found.pictures.push([key, value.data]);
      if (value.kind === "map") found.facts.push([key, `${value.width} × ${value.height}, ${numberText(value.min)} to ${numberText(value.max)}`]);
    } else found.facts.push([key, value]);
  }
  return found;
}

function numberText(value) {
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(2) : value.toFixed(size < 10 ? 4 : 2);
}

const cellText = (value) => (typeof value === "number" ? numberText(value) : textOf(value ?? ""));

function tableOf(key, rows) {
  const columns = [...new Set(rows.flatMap(Object.keys))];
  const share = columns.find((c) => /probab|score|share/.test(c) && rows.every((r) => r[c] >= 0 && r[c] <= 1));
  const head = make("tr");
  for (const c of columns) head.append(make("th", { scope: "col", class: typeof rows[0][c] === "number" ? "number" : "" }, words(c)));
  if (share) head.append(make("th", { scope: "col" }, make("span", { class: "away" }, "bar")));
  const body = make("tbody");
  for (const row of rows) {
    const line = make("tr");
    for (const c of columns) line.append(make("td", { class: typeof row[c] === "number" ? "number" : "" }, cellText(row[c])));
    if (share) line.append(make("td", { class: "meter" }, make("meter", { min: 0, max: 1, value: row[share], "aria-label": `${words(share)} ${numberText(row[share])}` })));
    body.append(line);
  }
  return [make("h2", {}, words(key)), make("table", {}, make("thead", {}, head), body)];
}

function showAnswer(answer) {
  lab.urls.forEach((url) => URL.revokeObjectURL(url));
  lab.urls = [];
  const found = sortOut(answer.result);
  found.facts.push(["network", answer.model.name]);

  const [main, ...others] = found.pictures;
  const title = lab.method.title || words(lab.method.name);
  $("result-name").textContent = title;
  show($("download"), Boolean(main));
  if (main) {
    const url = objectUrl(main[1]);
    $("picture").replaceChildren(make("img", { src: url, alt: `${title} of ${lab.file.name}` }));
    $("download").href = url;
    $("download").download = `${lab.file.name.replace(/\.[^.]*$/, "")}-${lab.method.name}.png`;
  } else {
    $("picture").replaceChildren(...(found.tables.length ? headline(found.tables[0][1]) : [make("span", {}, "The answer is below")]));
  }

  const rest = found.tables.flatMap(([key, rows]) => tableOf(key, rows));
  if (found.facts.length) {
    const list = make("dl");
    for (const [key, value] of found.facts) list.append(make("dt", {}, words(key)), make("dd", {}, cellText(value)));
    rest.push(list);
  }
  if (others.length) {
    const gallery = make("div", { class: "gallery" });
    for (const [key, uri] of others) {
      const url = objectUrl(uri);
      gallery.append(make("figure", {}, make("a", { href: url, download: `${key}.png` }, make("img", { src: url, alt: words(key) })), make("figcaption", {}, words(key))));
    }
    rest.push(gallery);
  }
  $("found").replaceChildren(...rest);
}

// An answer without a picture: its first text and number, large.
function headline([row]) {
  const text = Object.values(row).find((v) => typeof v === "string");
  const share = Object.entries(row).find(([c, v]) => /probab|score/.test(c) && typeof v === "number");
  return [make("strong", { class: "headline" }, words(text || "")), ...(share ? [make("span", {}, `${words(share[0])} ${numberText(share[1])}`)] : [])];
}

// ---- further pictures, for methods that take several ----------------------------------------------

const furtherAsked = () => (lab.method ? lab.further.slice(0, lab.method.images.max - 1) : []);

function showFurther() {
  const { min, max } = lab.method.images;
  show($("further"), max > 1);
  $("further-hint").textContent = min > 1
    ? `${lab.method.title || words(lab.method.name)} needs ${min === max ? min - 1 : `${min - 1} to ${max - 1}`} besides the photograph above.`
    : `Up to ${max - 1} besides the photograph above.`;
  $("thumbs").replaceChildren(...furtherAsked().map((file, i) => {
    const url = URL.createObjectURL(file);
    const img = make("img", { src: url, alt: file.name });
    img.addEventListener("load", () => URL.revokeObjectURL(url));
    const remove = make("button", { type: "button", class: "link" }, "remove");
    remove.addEventListener("click", () => {
      lab.further.splice(i, 1);
      showFurther();
      refresh();
    });
    return make("li", {}, img, remove);
  }));
}

function takeFurther(files) {
  lab.further = [...lab.further, ...files].slice(0, lab.method.images.max - 1);
  $("files").value = "";
  showFurther();
  refresh();
}

// ---- the photograph -----------------------------------------------------------------------------

function takeFile(file) {
  if (!file) return;
  lab.file = file;
  URL.revokeObjectURL($("photo").src);
  $("photo").src = URL.createObjectURL(file);
  $("photo").alt = `Your photograph, ${file.name}`;
  $("photo-name").textContent = file.name;
  show($("photo"), true);
  show($("invite"), false);
  show($("another"), true);
  show($("example"), false);
  $("drop").classList.add("full");
  clearErrors();
  refresh();
}

async function takeExample() {
  const response = await fetch("static/cat.jpg");
  takeFile(new File([await response.blob()], "cat.jpg", { type: "image/jpeg" }));
}

function watchDrops() {
  let depth = 0;
  const over = (on) => $("drop").classList.toggle("over", on);
  document.addEventListener("dragenter", (e) => { e.preventDefault(); depth++; over(true); });
  document.addEventListener("dragleave", () => { depth--; over(depth > 0); });
  document.addEventListener("dragover", (e) => e.preventDefault());
  document.addEventListener("drop", (e) => {
    e.preventDefault();
    depth = 0;
    over(false);
    takeFile([...e.dataTransfer.files].find((f) => f.type.startsWith("image/")) || e.dataTransfer.files[0]);
  });
  document.addEventListener("paste", (e) => takeFile([...e.clipboardData.files].find((f) => f.type.startsWith("image/"))));
}

// ---- start --------------------------------------------------------------------------------------

async function start() {
  watchDrops();
  $("files").addEventListener("change", () => takeFurther($("files").files));
  $("file").addEventListener("change", () => takeFile($("file").files[0]));
  $("example").addEventListener("click", takeExample);
  $("photo").addEventListener("error", () => showProblem(new Problem("This browser cannot show that file; the server may still read it.")));
  $("method").addEventListener("change", chooseMethod);
  $("ask").addEventListener("input", refresh);
  $("ask").addEventListener("submit", (e) => { e.preventDefault(); if (!$("run").disabled) run(); });
  $("ask").addEventListener("reset", (e) => { e.preventDefault(); lab.controls = new Map(); chooseMethod(); });
  $("stop").addEventListener("click", () => lab.running?.abort());
  $("copy").addEventListener("click", async () => {
    await navigator.clipboard.writeText($("curl").textContent);
    $("copy").textContent = "Copied";
    setTimeout(() => { $("copy").textContent = "Copy"; }, 1500);
  });
  try {
    const [methods, models] = await Promise.all([getJson("methods"), getJson("models")]);
    lab.methods = methods.methods.filter((method) => method.images.max > 0);
    lab.models = models.models;
    lab.usualModel = lab.models.find((model) => model.default)?.name;
    if (!lab.methods.length) throw new Problem("The server offers no methods.");
    buildMethods();
    chooseMethod();
  } catch (error) {
    showProblem(error);
  }
}

start();
