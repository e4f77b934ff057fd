// usage: keys.mjs BASE_URL PICTURE OUT_DIR   with the server's only key in LUCIDA_KEY: the page asks for
// it, and with it runs methods, follows jobs and opens the header's links.
import assert from "node:assert/strict";
import { base, complaints, drive, page, picture, shot, step } from "./browser.mjs";

const key = process.env.LUCIDA_KEY;
const done = () => page.waitForFunction(() => /^Done/.test(document.querySelector("#status").textContent));

await drive(async () => {
  await step("a server with keys asks for one before anything else", async () => {
    await page.waitForTimeout(1500); // a new key is known within a second
    await page.goto(base, { waitUntil: "networkidle" });
    await page.locator("#key-form").waitFor();
    assert.equal(await page.locator("#method").isDisabled(), true);
    await page.fill("#key", `${key}x`);
    await page.click("#key-form button");
    await page.locator("#key-form").waitFor();
    await shot("key");
    // The browser itself notes what was refused.
    assert.ok(complaints.length > 0 && complaints.splice(0).every((text) => /status of 401/.test(text)));
    await page.fill("#key", key);
    await page.click("#key-form button");
    await page.waitForFunction(() => !document.querySelector("#method").disabled);
    assert.equal(await page.locator("#key-form").isVisible(), false);
  });

  await step("with the key a method answers and a job is followed", async () => {
    await page.setInputFiles("#file", picture);
    await page.selectOption("#method", "saliency");
    await page.click("#run");
    await done();
    await page.selectOption("#method", "dream");
    for (const [name, value] of [["size", "64"], ["octaves", "1"], ["steps", "4"]]) await page.fill(`#p-${name}`, value);
    await page.click("#run");
    await page.waitForFunction(() => location.hash.includes("job="));
    await page.waitForFunction(() => document.querySelector("#job").hidden);
    await done();
    assert.ok(await page.locator("#picture img").evaluate((img) => img.naturalWidth) > 0);
  });

  await step("the header's links lead to what they name", async () => {
    for (const link of ["methods", "models", "openapi.json"]) {
      const opened = page.waitForEvent("popup");
      await page.click(`nav a[href="${link}"]`);
      const popup = await opened;
      await popup.waitForLoadState();
      assert.match(await popup.textContent("body"), /^\s*\{/, link);
      await popup.close();
    }
  });

  await step("nothing was refused and nothing written to the console", async () => assert.deepEqual(complaints, []));
});
