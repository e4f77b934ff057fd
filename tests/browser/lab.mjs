// usage: lab.mjs BASE_URL PICTURE OUT_DIR   Drives the page at BASE_URL in Debian's Chromium: a
// photograph goes in, a picture and a table come out, a job is followed, cancelled and found again,
// errors stand beside their field, nothing is written to the console, and the Content-Security-Policy
// is never broken. Screenshots go to OUT_DIR.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { base, complaints, drive, page, picture, shot, step } from "./browser.mjs";

const widthOfImage = (selector) => page.locator(selector).evaluate((img) => img.complete && img.naturalWidth);

async function choose(method) {
  await page.selectOption("#method", method);
}

async function runAndWait() {
  await page.click("#run");
  await page.waitForFunction(() => /^Done/.test(document.querySelector("#status").textContent));
}

await drive(async () => {
  const listed = (await (await page.request.get(new URL("methods", base).href)).json()).methods;

  await step("the page opens under a strict policy and offers what /methods lists", async () => {
    const response = await page.goto(base, { waitUntil: "networkidle" });
    const policy = response.headers()["content-security-policy"] || "";
    assert.match(policy, /default-src 'none'|default-src 'self'/);
    assert.doesNotMatch(policy, /unsafe/);
    const names = listed.map((m) => m.name).sort();
    const offered = await page.locator("#method option").evaluateAll((all) => all.map((o) => o.value).sort());
    assert.deepEqual(offered, names);
    const groups = await page.locator("#method optgroup").evaluateAll((all) => all.map((g) => g.label).sort());
    assert.deepEqual(groups, [...new Set(listed.map((m) => m.tag))].sort(), "grouped by tag");
    assert.equal(await page.locator("#run").isDisabled(), true, "nothing to run without a photograph");
    await shot("empty");
  });

  await step("the example can be tried without a file of one's own", async () => {
    await page.click("#example");
    await page.waitForFunction(() => document.querySelector("#photo").naturalWidth > 0);
    assert.equal(await page.locator("#run").isDisabled(), false);
  });

  await step("a photograph gives a saliency picture", async () => {
    await page.setInputFiles("#file", picture);
    await choose("saliency");
    assert.match(await page.textContent("#curl"), /^curl -F image=@\S+ \S+\/saliency -o saliency\.png$/);
    await runAndWait();
    assert.equal(await widthOfImage("#picture img"), await widthOfImage("#photo"), "the map has the upload's size");
    assert.ok(await page.locator("#download").isVisible());
    await shot("saliency");
  });

  await step("every setting of the form is accepted as it stands", async () => {
    const options = await page.locator("#p-view option").evaluateAll((all) => all.map((o) => o.value));
    await page.locator("#more").evaluate((d) => { d.open = true; });
    await page.selectOption("#p-view", options.at(-1));
    assert.match(await page.textContent("#curl"), new RegExp(`view=${options.at(-1)}`));
    await runAndWait();
    await page.click("#defaults");
    assert.doesNotMatch(await page.textContent("#curl"), /view=/);
  });

  await step("classify gives a table", async () => {
    await choose("classify");
    await runAndWait();
    assert.ok((await page.locator("#found tbody tr").count()) >= 5);
    await shot("classify");
  });

  await step("where it stands is seen, however long the form", async () => {
    const box = await page.locator("#status").boundingBox();
    assert.ok(box.height > 0 && box.y + box.height <= page.viewportSize().height, "the status is on the screen");
  });

  await step("a method that needs no photograph can be asked without one", async () => {
    await choose(listed.find((m) => m.images.min === 0 && m.images.max > 0).name);
    await page.click("#without");
    assert.equal(await page.locator("#photo").isVisible(), false);
    assert.equal(await page.locator("#run").isDisabled(), false);
    assert.doesNotMatch(await page.textContent("#curl"), /image=@/);
    await page.setInputFiles("#file", picture);
    await choose("classify");
    assert.equal(await page.locator("#without").isVisible(), false);
  });

  // A slow method of several pictures, as small as it can be asked.
  const several = listed.find((m) => m.images.min > 1 && m.cost === "slow");

  await step("a method of several pictures waits for them, shows them and lets them go", async () => {
    assert.ok(several, "there is one");
    await choose(several.name);
    assert.equal(await page.locator("#run").isDisabled(), true, "one picture is not enough");
    await page.setInputFiles("#files", Array(several.images.min).fill(picture));
    assert.equal(await page.locator("#thumbs img").count(), several.images.min);
    assert.equal((await page.textContent("#curl")).match(/image=@/g).length, several.images.min + 1);
    assert.equal(await page.locator("#run").isDisabled(), false);
    await shot("several");
    await page.locator("#thumbs button").first().click();
    assert.equal(await page.locator("#thumbs img").count(), several.images.min - 1);
    assert.equal(await page.locator("#run").isDisabled(), false);
    await choose("saliency");
    assert.equal(await page.locator("#further").isVisible(), false);
  });

  async function startJob(steps) {
    await choose(several.name);
    await page.locator("#more").evaluate((d) => { d.open = true; });
    const offered = await page.locator("#model option").evaluateAll((all) => all.map((o) => o.value));
    if (offered.includes("vgg19_features")) await page.selectOption("#model", "vgg19_features"); // it has a recipe
    await page.fill("#p-sizes", "64");
    await page.fill("#p-steps", String(steps));
    await page.click("#run");
    // The text may still be that of a job before; the address names the one that has begun.
    await page.waitForFunction(() => location.hash.includes("job=") && /^Step [1-9]/.test(document.querySelector("#job-text").textContent));
  }

  await step("a job shows its progress and its picture as it grows, and can be cancelled", async () => {
    await startJob(5000);
    await page.locator("#picture img[alt='The picture so far']").waitFor();
    assert.ok((await page.locator("#job-bar").evaluate((bar) => bar.value)) > 0);
    assert.match(page.url(), /#job=/);
    await shot("job");
    await page.click("#cancel");
    await page.waitForFunction(() => document.querySelector("#status").textContent === "Cancelled");
    assert.doesNotMatch(page.url(), /#job=/);
    assert.equal(await page.locator("#job").isVisible(), false);
    assert.equal(await page.locator("#run").isDisabled(), false);
  });

  await step("a job is found again after a reload, and gives its result", async () => {
    await startJob(150); // long enough to be running still when the page comes back
    await page.reload();
    await page.waitForFunction(() => /^Done/.test(document.querySelector("#status").textContent), null, { timeout: 240_000 });
    assert.equal(await page.inputValue("#method"), several.name);
    assert.equal(await page.inputValue("#p-steps"), "150");
    assert.equal(await page.locator("#job").isVisible(), false);
    assert.ok((await widthOfImage("#picture img")) > 0);
    assert.ok(await page.locator("#download").isVisible());
    await shot("job-done");
    await page.setInputFiles("#file", picture);
  });

  await step("a collection is made from many files, looked at, found again and deleted", async () => {
    const pooled = listed.find((m) => m.parameters.properties.collection);
    assert.ok(pooled, "some method takes one");
    await choose("saliency");
    assert.equal(await page.locator("#collections").isVisible(), false, "only where it is of use");
    await choose(pooled.name);
    const bytes = readFileSync(picture);
    const files = Array.from({ length: 55 }, (_, i) => (
      { name: `cat ${i}.jpg`, mimeType: "image/jpeg", buffer: Buffer.concat([bytes, Buffer.from(`cat ${i}`)]) }));
    await page.setInputFiles("#collection-files", files);
    assert.equal(await page.locator("#collection-make").isDisabled(), true, "it wants a name");
    await page.fill("#collection-name", "Cats <b>");
    await page.fill("#collection-label", "cat, tabby");
    const posts = [];
    const note = (r) => { if (r.method() === "POST") posts.push(r.url()); };
    page.on("request", note);
    await page.click("#collection-make");
    await page.waitForFunction(() => /55 pictures/.test(document.querySelector("#p-collection option:checked").textContent));
    page.off("request", note);
    assert.equal(posts.filter((url) => url.endsWith("/images")).length, 2, "in two requests");
    assert.match(await page.textContent("#collection-list"), /^Cats <b> \(55 pictures\)/);
    assert.equal(await page.locator("#collection-job").isVisible(), false);
    const id = await page.inputValue("#p-collection");
    assert.match(await page.textContent("#curl"), new RegExp(`-F collection=${id}`));
    assert.doesNotMatch(await page.textContent("#curl"), /image=@/);
    await page.fill("#p-channels", "top:2");
    await shot("collection");
    await runAndWait();
    assert.ok((await widthOfImage("#picture img")) > 0);
    await shot("collection-done");
    await page.reload();
    await page.waitForFunction(() => /^Done/.test(document.querySelector("#status").textContent));
    assert.equal(await page.inputValue("#p-collection"), id, "the job's form is there again");
    const labels = async () => (await (await page.request.get(new URL(`collections/${id}`, base).href)).json()).labels;
    assert.deepEqual(await labels(), [{ label: "cat, tabby", images: 55 }]);
    await page.setInputFiles("#collection-files", { ...files[0], buffer: Buffer.concat([bytes, Buffer.from("dog")]) });
    await page.fill("#collection-label", "dog");
    await page.locator("#collection-list .add").click();
    await page.waitForFunction(() => /56 pictures/.test(document.querySelector("#p-collection option:checked").textContent));
    assert.deepEqual(await labels(), [{ label: "cat, tabby", images: 55 }, { label: "dog", images: 1 }]);
    assert.equal(await page.inputValue("#collection-label"), "");
    for (let i = 0; i < 2; i++) await page.locator("#collection-list .remove").first().click();
    await page.waitForFunction(() => document.querySelectorAll("#collection-list li").length === 0);
    assert.equal(await page.inputValue("#p-collection"), "");
    await page.click("#defaults");
    await page.setInputFiles("#file", picture);
  });

  await step("an error stands beside its field", async () => {
    await choose("saliency");
    await page.fill("#p-target", "no such thing at all");
    const before = complaints.length;
    await page.click("#run");
    await page.locator("#p-target-error").waitFor({ state: "visible" });
    assert.equal(await page.getAttribute("#p-target", "aria-invalid"), "true");
    await shot("error");
    // The browser itself notes a failed request.
    assert.ok(complaints.splice(before).every((text) => /status of 4\d\d/.test(text)));
    await page.click("#defaults");
  });

  await step("the keyboard alone is enough", async () => {
    await page.focus("#method");
    const reached = new Set();
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press("Tab");
      reached.add(await page.evaluate(() => document.activeElement.id));
    }
    for (const id of ["model", "run", "file"]) assert.ok(reached.has(id), `Tab reaches #${id}`);
  });

  await step("it fits a telephone, in the dark", async () => {
    await page.emulateMedia({ colorScheme: "dark" });
    await page.setViewportSize({ width: 390, height: 844 });
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(wider <= 0, `${wider} px wider than the screen`);
    await shot("phone");
    await choose("fool"); // wide tables
    await page.fill("#p-steps", "1");
    await runAndWait();
    await page.waitForFunction(() => document.querySelectorAll("#found table").length > 1);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), "no wider with tables");
    await shot("phone-tables");
  });

  await step("nothing was written to the console", async () => assert.deepEqual(complaints, []));
});
