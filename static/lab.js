// The browser lab: a form made from GET /methods, one POST, the answer beside the photograph; what
// takes long is a job, shown while it runs and found again after a reload by the address's #job=ID.
// It speaks only the public API and knows no method by name.

import { collectionChoice, startCollections } from "./collections.js";
import { $, KEY, Problem, ask, followLinks, getJson, make, ownKey, send, show, words } from "./page.js";

// What the page chooses itself, so that one answer brings both the numbers and the pictures.
const ANSWER = { format: "json", embed: "true" };
const MANY = 20;     // pictures; more are not counted out
const OWN_SHOWN = 6; // a method's further settings stand with those that many methods share
const POOL = "collection"; // the parameter that stands in place of pictures
const PATIENCE_S = 1; // for an answer in place; then it is a job whose picture grows
const AUTO = "auto"; // what an empty field of a number says that need not be given
const NOT_ASKED = new Set([...Object.keys(ANSWER), "quality", "model"]);

const lab = {
  methods: [],
  models: [],
  method: null,
  file: null,
  further: [],         // pictures after the first, for methods that take several
  controls: new Map(), // parameter key -> { input, error, schema }
  urls: [],            // object URLs of the answer that is shown
  title: document.title,
  running: null,       // { stop } while a request or a job is under way
};

// ---- the form -----------------------------------------------------------------------------------

const propertiesOf = (method) => method.parameters.properties;

function control(key, schema) {
  const id = `p-${key}`;
  const number = schema.oneOf?.[0] ?? schema; // of "a number or auto"
  const type = number.type;
  let input;
  let fill = null; // brings its choices up to date
  if (key === POOL) {
    ({ input, fill } = collectionChoice(id, schema));
  } else if (schema.enum) {
    input = make("select", { id });
    for (const value of schema.enum) input.append(make("option", { value: String(value) }, words(String(value))));
    input.value = String(schema.default);
  } else if (type === "boolean") {
    input = make("input", { id, type: "checkbox", checked: schema.default === true });
  } else if (type === "integer" || type === "number") {
    input = make("input", { id, type: "number", step: type === "integer" ? "1" : "any" });
    if (number.minimum !== undefined) input.min = number.minimum;
    if (number.maximum !== undefined) input.max = number.maximum;
    if (schema.oneOf) input.placeholder = AUTO;
    else input.value = schema.default;
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
  return { field, input, error, schema, fill };
}

function hintOf(schema) {
  const { minimum: low, maximum: high } = schema.oneOf?.[0] ?? schema;
  const bounds = low !== undefined && high !== undefined && high < 1e6 ? `; ${low} to ${high}` : "";
  return (schema.description || "").replace(/\.$/, "") + bounds;
}

const textOf = (value) => (Array.isArray(value) ? value.join(",") : value === undefined ? "" : String(value));

function valueOf({ input, schema }) {
  if (input.type === "checkbox") return String(input.checked);
  return input.value.trim() || (schema.oneOf ? AUTO : "");
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
    const first = key === POOL || (schema["x-own"] && $("own").childElementCount < OWN_SHOWN);
    $(first ? "own" : "shared").append(one.field);
  }
  show($("more"), $("shared").childElementCount > 0);
}

// The network that the method asks when none is named.
const usualModel = () => propertiesOf(lab.method).model?.default ?? lab.usualModel;

const makesPictures = (model) => model?.task === "style";

// Networks that make pictures are for the methods whose usual network makes some, and for no other.
function fits(model) {
  if (lab.method.needs_classes) return model.task === "classify";
  const usual = lab.models.find((one) => one.name === usualModel());
  return makesPictures(model) === makesPictures(usual);
}

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

const titleOf = (method) => method.title || words(method.name);
const answersPicture = (method) => method.answers.includes("image/png");

function chooseMethod() {
  lab.method = lab.methods.find((method) => method.name === $("method").value);
  const { summary = "", paper = "" } = lab.method;
  $("summary").replaceChildren(summary, ...(paper ? [" ", paper] : []));
  buildForm();
  buildModels();
  show($("first"), lab.method.images.max > 0);
  show($("without"), Boolean(lab.file) && lab.method.images.min === 0);
  show($("collections"), lab.controls.has(POOL));
  showFurther();
  clearErrors();
  refresh();
}

function buildMethods() {
  const groups = new Map();
  for (const method of lab.methods) {
    const tag = method.tag || "methods";
    if (!groups.has(tag)) groups.set(tag, make("optgroup", { label: tag }));
    groups.get(tag).append(make("option", { value: method.name }, titleOf(method)));
  }
  $("method").replaceChildren(...groups.values());
  $("method").disabled = false;
  // The first impression: a picture, by the method with the least to set.
  const settings = (method) => Object.values(propertiesOf(method)).filter((schema) => schema["x-own"]).length;
  const [first] = lab.methods.filter((method) => method.images.min === 1)
    .sort((a, b) => answersPicture(b) - answersPicture(a) || settings(a) - settings(b)).concat(lab.methods);
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

function filePart(file, i) {
  const name = file?.name ?? (i ? `picture${i + 1}.jpg` : "cat.jpg");
  // curl reads ; and , in a file's name as its own, unless the name is in double quotes.
  const path = /[;,"]/.test(name) ? `"${name.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"` : name;
  return ["-F", quoted(`image=@${path}`)];
}

// The collection that is asked for in place of pictures, or "".
const pool = () => (lab.controls.has(POOL) ? valueOf(lab.controls.get(POOL)) : "");

// The pictures to send, the photograph first.
function pictures() {
  const { max } = lab.method.images;
  return max > 0 && lab.file && !pool() ? [lab.file, ...furtherAsked()] : [];
}

function curlLines() {
  const { name, cost, images } = lab.method;
  const files = images.max > 0 && !pool() ? [...(lab.file || images.min ? [lab.file] : []), ...furtherAsked()] : [];
  while (files.length < images.min && !pool()) files.push(null);
  const fields = [...files.flatMap(filePart), ...asked().flatMap(([key, value]) => ["-F", quoted(`${key}=${value}`)])];
  const url = quoted(new URL(name, location.href).href);
  const to = answersPicture(lab.method) ? ` -o ${quoted(`${name}.png`)}` : "";
  const who = ownKey() ? '-H "Authorization: Bearer $LUCIDA_KEY" ' : "";
  const way = who + (fields.length ? fields.join(" ") : "-X POST");
  if (cost !== "slow" && !pool()) return `curl ${way} ${url}${to}`;
  const origin = new URL(".", location.href).href.replace(/\/$/, "");
  return [`job=$(curl -s -o /dev/null -w '%header{location}' ${way} ${url})`,
    `curl -N ${who}"${origin}$job/events"`, `curl ${who}"${origin}$job/result"${to}`].join("\n");
}

function refresh() {
  const enough = lab.method && (pool() || pictures().length >= lab.method.images.min);
  $("run").disabled = !enough || Boolean(lab.running) || $("model").disabled;
  show($("command"), Boolean(lab.method));
  if (lab.method) $("curl").textContent = curlLines();
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

function request() {
  const body = new FormData();
  for (const file of pictures()) body.append("image", file, file.name);
  for (const [key, value] of [...asked(), ...Object.entries(ANSWER)]) body.append(key, value);
  return body;
}

// Does what takes a while: `work` gets how to be told of a stop, and says how it ended.
async function during(work) {
  clearErrors();
  busy(true);
  try {
    const end = await work();
    $("status").textContent = end;
    if (/^Done/.test(end)) $("result").scrollIntoView({ block: "nearest" });
  } catch (error) {
    $("status").textContent = error.name === "AbortError" ? "Stopped" : "";
    if (error.name !== "AbortError") showProblem(error);
  } finally {
    lab.running = null;
    busy(false);
  }
}

const took = (ms) => `Done in ${ms < 100_000 ? `${(ms / 1000).toFixed(1)} s` : duration(ms / 1000)}`;

// What makes pictures is worth watching where it takes long, however quick it is with small ones.
function wishes(method) {
  const headers = { Accept: "application/json" };
  if (method.tag === "generate" && method.cost !== "slow") headers.Prefer = `respond-async, wait=${PATIENCE_S}`;
  return headers;
}

async function run() {
  const { method } = lab;
  const name = lab.file?.name ?? "picture";
  const controller = new AbortController();
  lab.running = { stop: () => controller.abort() };
  setJobInAddress("");
  const started = performance.now();
  await during(async () => {
    const response = await ask(method.name, {
      method: "POST", body: request(), signal: controller.signal, headers: wishes(method),
    });
    const answer = await response.json();
    if (response.status === 202) return followJob(answer, name);
    showAnswer(answer, method, name);
    return took(performance.now() - started);
  });
}

function busy(on) {
  if (on) $("status").textContent = "Running…";
  $("picture").classList.toggle("busy", on);
  $("result").setAttribute("aria-busy", String(on));
  show($("stop"), on);
  refresh();
}

// ---- jobs ---------------------------------------------------------------------------------------

const POLL_MS = 2000;
const ENDED = new Set(["succeeded", "failed", "cancelled"]);

const jobUrl = (id, rest = "") => `jobs/${encodeURIComponent(id)}${rest}`;
const methodOf = (job) => lab.methods.find((one) => one.name === job.method) ?? { name: job.method };
const jobInAddress = () => new URLSearchParams(location.hash.slice(1)).get("job");

function setJobInAddress(id) {
  history.replaceState(null, "", location.pathname + location.search + (id ? `#job=${encodeURIComponent(id)}` : ""));
}

function duration(s) {
  if (s < 100) return `${Math.max(1, Math.round(s))} s`;
  return s < 5400 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`;
}

// A function that runs once at a time, and once more when it was asked for meanwhile.
function oneAtATime(work) {
  let running = false;
  let again = false;
  return async () => {
    again = true;
    if (running) return;
    running = true;
    while (again) {
      again = false;
      await work();
    }
    running = false;
  };
}

// Follows a job (its document) to its end, shows it and its result; says how it ended.
async function followJob(job, name) {
  const { id } = job;
  setJobInAddress(id);
  lab.running = { stop: () => cancelJob(id) };
  $("picture").classList.remove("busy"); // the preview is to be seen
  $("picture").replaceChildren(make("span", {}, "The picture appears here as it grows"));
  $("result-name").textContent = titleOf(methodOf(job));
  $("found").replaceChildren();
  show($("download"), false);
  show($("stop"), false);
  show($("job"), true);
  $("result").scrollIntoView({ block: "nearest" });
  try {
    showJob(job);
    const end = ENDED.has(job.state) ? job : await endOfJob(job);
    if (end.state === "succeeded") {
      showAnswer(await getJson(jobUrl(id, "/result")), methodOf(job), name);
      return took(Date.parse(end.finished) - Date.parse(end.started));
    }
    setJobInAddress("");
    if (end.state === "failed") throw new Problem(end.error?.detail || "The job failed", end.error);
    return "Cancelled";
  } finally {
    show($("job"), false);
    document.title = lab.title;
  }
}

// An EventSource sends no key: with one, all is found by asking.
function eventsOf(id) {
  if (!ownKey()) return new EventSource(jobUrl(id, "/events"));
  return { readyState: EventSource.CLOSED, close() {}, addEventListener() {} };
}

// By the server's events; by asking while it waits for its turn, or while no event can come.
function endOfJob(job) {
  const { id } = job;
  return new Promise((resolve, reject) => {
    const events = eventsOf(id);
    let { state } = job;
    let timer;
    const done = (settle, value) => {
      events.close();
      clearInterval(timer);
      settle(value);
    };
    const look = oneAtATime(async () => {
      if (ENDED.has(state)) return;
      try {
        const now = await getJson(jobUrl(id));
        ({ state } = now);
        showJob(now);
        if (ownKey() && now.links.preview) preview();
        if (ENDED.has(state)) done(resolve, now);
      } catch (error) {
        if (error.status === 404) {
          state = "failed";
          done(reject, error);
        } else $("job-text").textContent = `${error.message} Trying again…`;
      }
    });
    const preview = oneAtATime(() => showPreview(id));
    timer = setInterval(() => { if (state !== "running" || events.readyState !== EventSource.OPEN) look(); }, POLL_MS);
    events.addEventListener("state", (e) => {
      if (ENDED.has(JSON.parse(e.data).state)) events.close();
      look();
    });
    events.addEventListener("progress", (e) => showProgress(JSON.parse(e.data)));
    events.addEventListener("preview", preview);
  });
}

function showJob(job) {
  const before = (job.queue_position || 1) - 1;
  $("status").textContent = job.cancelling ? "Cancelling…" : job.state === "queued" ? "Waiting for its turn…" : "Running…";
  $("cancel").disabled = Boolean(job.cancelling);
  if (job.state === "queued") {
    $("job-bar").removeAttribute("value");
    $("job-text").textContent = before ? `${before} ${before === 1 ? "job" : "jobs"} before this one` : "Next in line";
  } else {
    showProgress(job);
  }
}

function showProgress({ progress, step, n_steps, eta_s }) {
  const percent = `${Math.floor(100 * progress)} %`;
  $("job-bar").value = progress;
  $("job-text").textContent = [n_steps ? `Step ${step} of ${n_steps}` : percent, eta_s > 0 ? `about ${duration(eta_s)} left` : ""].filter(Boolean).join(", ");
  document.title = `${percent} · ${lab.title}`;
}

async function showPreview(id) {
  const response = await send(jobUrl(id, "/preview"), { cache: "no-store" });
  if (!response.ok || lab.running === null) return;
  const url = URL.createObjectURL(await response.blob());
  const img = make("img", { src: url, alt: "The picture so far" });
  try {
    await img.decode();
    if (!$("job").hidden) $("picture").replaceChildren(img);
  } finally {
    URL.revokeObjectURL(url);
  }
}

async function cancelJob(id) {
  $("cancel").disabled = true;
  $("status").textContent = "Cancelling…";
  try {
    await ask(jobUrl(id), { method: "DELETE" });
  } catch (error) {
    if (error.status !== 409) showProblem(error); // 409: it has just ended
    $("cancel").disabled = false;
  }
}

// The form as the job was asked, so that a reload changes nothing but the photograph.
function takeSettings(job) {
  if (!lab.methods.some((method) => method.name === job.method)) return;
  $("method").value = job.method;
  chooseMethod();
  for (const [key, value] of Object.entries(job.parameters)) {
    const one = lab.controls.get(key);
    if (one?.input.type === "checkbox") one.input.checked = value;
    else if (one) one.input.value = textOf(value);
  }
  if ([...$("model").options].some((option) => option.value === job.model)) $("model").value = job.model;
}

async function takeUpJob() {
  const id = jobInAddress();
  if (!id || lab.running) return;
  lab.running = { stop() {} };
  await during(async () => {
    try {
      const job = await getJson(jobUrl(id));
      takeSettings(job);
      return await followJob(job, "picture");
    } catch (error) {
      if (error.status === 404 || error.status === 410) setJobInAddress("");
      throw error;
    }
  });
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

function showAnswer(answer, method, name) {
  lab.urls.forEach((url) => URL.revokeObjectURL(url));
  lab.urls = [];
  const found = sortOut(answer.result);
  found.facts.push(["network", answer.model.name]);

  const [main, ...others] = found.pictures;
  const title = titleOf(method);
  $("result-name").textContent = title;
  show($("download"), Boolean(main));
  if (main) {
    const url = objectUrl(main[1]);
    $("picture").replaceChildren(make("img", { src: url, alt: `${title} of ${name}` }));
    $("download").href = url;
    $("download").download = `${name.replace(/\.[^.]*$/, "")}-${method.name}.png`;
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

const furtherAsked = () => lab.further.slice(0, Math.max(0, lab.method.images.max - 1));

function furtherHint() {
  const { min, max } = lab.method.images;
  const least = Math.max(0, min - 1);
  const most = max - 1;
  if (most > MANY) return `${titleOf(lab.method)} takes more pictures besides the photograph`;
  if (most === 1) return `${titleOf(lab.method)} ${least ? "needs" : "can take"} one more picture`;
  return `${titleOf(lab.method)} takes ${least ? `${least} to` : "up to"} ${most} pictures besides the photograph`;
}

function thumbnail(file, i) {
  const url = URL.createObjectURL(file);
  const img = make("img", { src: url, alt: file.name, title: file.name });
  img.addEventListener("load", () => URL.revokeObjectURL(url));
  const remove = make("button", { type: "button", "aria-label": `Remove ${file.name}`, title: "Remove" }, "×");
  remove.addEventListener("click", () => {
    lab.further.splice(i, 1);
    showFurther();
    refresh();
    $("files").focus();
  });
  return make("li", {}, img, remove);
}

function showFurther() {
  const { max } = lab.method.images;
  show($("further"), max > 1);
  if (max < 2) return;
  $("further-hint").textContent = furtherHint();
  $("thumbs").replaceChildren(...furtherAsked().map(thumbnail));
  show($("add"), furtherAsked().length < max - 1);
}

function takeFurther(files) {
  lab.further = [...furtherAsked(), ...files].slice(0, lab.method.images.max - 1);
  $("files").value = "";
  clearErrors();
  showFurther();
  refresh();
}

// ---- collections ----------------------------------------------------------------------------------

function collectionsChanged(made) {
  const one = lab.controls.get(POOL);
  if (!one) return;
  one.fill();
  if (made) one.input.value = made;
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
  show($("without"), lab.method?.images.min === 0);
  show($("example"), false);
  $("drop").classList.add("full");
  clearErrors();
  refresh();
}

function leavePhoto() {
  lab.file = null;
  $("file").value = "";
  for (const id of ["photo", "another", "without"]) show($(id), false);
  for (const id of ["invite", "example"]) show($(id), true);
  $("photo-name").textContent = "Photograph";
  $("drop").classList.remove("full");
  clearErrors();
  refresh();
}

async function takeExample() {
  const response = await fetch("static/cat.jpg");
  takeFile(new File([await response.blob()], "cat.jpg", { type: "image/jpeg" }));
}

// Pictures that were dropped or pasted: on `zone`, or wherever there is room for them.
function takeDropped(list, zone) {
  const all = [...list].filter((file) => file.type.startsWith("image/"));
  if (!all.length) return;
  const room = lab.method && lab.method.images.max - 1 > furtherAsked().length;
  if (room && (zone === $("further") || (zone !== $("drop") && lab.file))) {
    takeFurther(all);
  } else {
    takeFile(all[0]);
    if (room && all.length > 1) takeFurther(all.slice(1));
  }
}

function watchDrops() {
  const zoneOf = (target) => (target instanceof Element ? target.closest("#drop, #further") : null);
  const mark = (zone) => { for (const id of ["drop", "further"]) $(id).classList.toggle("over", zone === $(id)); };
  document.addEventListener("dragover", (e) => { e.preventDefault(); mark(zoneOf(e.target) || $(lab.file && !$("further").hidden ? "further" : "drop")); });
  document.addEventListener("dragleave", (e) => { if (!e.relatedTarget) mark(null); });
  document.addEventListener("drop", (e) => {
    e.preventDefault();
    mark(null);
    takeDropped(e.dataTransfer.files, zoneOf(e.target));
  });
  document.addEventListener("paste", (e) => takeDropped(e.clipboardData.files, null));
}

// ---- start --------------------------------------------------------------------------------------

async function start() {
  watchDrops();
  followLinks(document.querySelectorAll("nav a"), showProblem);
  $("files").addEventListener("change", () => takeFurther($("files").files));
  $("file").addEventListener("change", () => takeFile($("file").files[0]));
  $("example").addEventListener("click", takeExample);
  $("without").addEventListener("click", leavePhoto);
  $("photo").addEventListener("error", () => showProblem(new Problem("This browser cannot show that file; the server may still read it.")));
  $("method").addEventListener("change", chooseMethod);
  $("ask").addEventListener("input", refresh);
  $("ask").addEventListener("submit", (e) => { e.preventDefault(); if (!$("run").disabled) run(); });
  $("ask").addEventListener("reset", (e) => { e.preventDefault(); lab.controls = new Map(); chooseMethod(); });
  for (const id of ["stop", "cancel"]) $(id).addEventListener("click", () => lab.running?.stop());
  window.addEventListener("hashchange", takeUpJob);
  $("copy").addEventListener("click", async () => {
    await navigator.clipboard.writeText($("curl").textContent);
    $("copy").textContent = "Copied";
    setTimeout(() => { $("copy").textContent = "Copy"; }, 1500);
  });
  $("key-form").addEventListener("submit", (e) => {
    e.preventDefault();
    sessionStorage.setItem(KEY, $("key").value.trim());
    location.reload();
  });
  try {
    const [methods, models] = await Promise.all([getJson("methods"), getJson("models")]);
    lab.methods = methods.methods;
    lab.models = models.models;
    lab.usualModel = lab.models.find((model) => model.default)?.name;
    if (!lab.methods.length) throw new Problem("The server offers no methods.");
    await startCollections(collectionsChanged);
    buildMethods();
    chooseMethod();
    await takeUpJob();
  } catch (error) {
    showProblem(error);
  }
}

start();
