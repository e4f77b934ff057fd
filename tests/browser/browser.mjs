// What the browser tests share: Debian's Chromium with the page, named steps, screenshots.
// usage of each: TEST.mjs BASE_URL PICTURE OUT_DIR
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const [base, picture, out] = process.argv.slice(2);
const require = createRequire(resolve("build/browser/package.json"));

function needed() {
  const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync);
  try {
    const { chromium: browser } = require("playwright-core");
    if (chromium) return { browser, chromium };
    console.log("skipped: needs Chromium in /usr/bin");
  } catch {
    console.log("skipped: needs playwright-core (./dev test installs it in build/browser)");
  }
  process.exit(77);
}

const { browser, chromium } = needed();
const profile = mkdtempSync(join(tmpdir(), "lucida-browser-"));
const context = await browser.launchPersistentContext(profile, {
  executablePath: chromium,
  headless: true,
  viewport: { width: 1280, height: 900 },
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
export const page = context.pages()[0] || (await context.newPage());
page.setDefaultTimeout(60_000);

// What the browser's console said.
export const complaints = [];
page.on("console", (m) => { if (["error", "warning"].includes(m.type())) complaints.push(m.text()); });
page.on("pageerror", (e) => complaints.push(String(e)));

export async function step(name, body) {
  try {
    await body();
    console.log(`ok   ${name}`);
  } catch (error) {
    await page.screenshot({ path: join(out, "lab-failed.png"), fullPage: true });
    console.log(`FAIL ${name}\n${error.stack}\nconsole: ${complaints.join("\n")}`);
    throw error;
  }
}

export async function shot(name) {
  await page.screenshot({ path: join(out, `lab-${name}.png`), fullPage: true });
}

// Runs all steps; the first failure ends them and decides the exit status.
export async function drive(steps) {
  try {
    await steps();
  } catch {
    process.exitCode = 1;
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
}
