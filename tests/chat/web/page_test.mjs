// Drives the page in Chromium: node page_test.mjs URL [FOLDER FOR SCREENSHOTS]
// The server has the models ember, twin (Ember under another name) and broken.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [url, shots] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), "hearth-page-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.HEARTH_CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  viewport: { width: 1200, height: 800 },
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

let page, complaints;
const chatPath = "**/v1/chat/completions";

async function fresh(options = {}) {
  await page?.close();
  page = await browser.newPage();
  complaints = [];
  page.on("console", (message) => { if (message.type() === "error") complaints.push(message.text()); });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => { if (!request.url().startsWith(url)) complaints.push(`asks for ${request.url()}`); });
  await page.setViewportSize(options.size ?? { width: 1200, height: 800 });
  await page.emulateMedia({ colorScheme: options.dark ? "dark" : "light" });
  await page.goto(url);
  await page.waitForFunction(() => document.getElementById("model-state").textContent.startsWith("in memory"), null, { timeout: 30000 });
}

const shot = async (name) => { if (shots) await page.screenshot({ path: join(shots, `${name}.png`) }); };
const ask = async (text) => { await page.fill("#ask", text); await page.press("#ask", "Enter"); };
const ended = (n = 1) => page.waitForFunction((k) => document.querySelectorAll(".it .bar").length >= k && !document.querySelector(".it.busy"), n, { timeout: 60000 });
const textOf = (selector) => page.textContent(selector);
const engine = async () => (await fetch(`${url}health`)).json();

/** The next answers of this page are these texts, in pieces, without asking the server. */
const canned = (text) => page.route(chatPath, (route) => {
  const chunk = (delta, reason = null) => `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;
  const pieces = text.match(/[^]{1,7}/g).map((content) => chunk({ content }));
  route.fulfill({ contentType: "text/event-stream", body: chunk({ role: "assistant", content: "" }) + pieces.join("") + chunk({}, "stop") + "data: [DONE]\n\n" });
});

/** The next answers go on until the context is full. */
const endless = () => page.route(chatPath, (route) => route.continue({ postData: JSON.stringify({ ...route.request().postDataJSON(), ignore_eos: true }) }));

const tests = {
  async "an empty page greets, and asks nobody else for anything"() {
    await fresh();
    assert.equal(await page.title(), "Hearth");
    assert.ok(await page.isVisible("text=What shall we think about?"));
    assert.ok(await page.isDisabled("#send"));
    await shot("empty");
  },

  async "an answer streams in, and its end is announced"() {
    await fresh();
    await ask("What is Hearth?");
    await ended();
    assert.match(await textOf(".it .text"), /Hearth/);
    assert.match(await textOf(".it .bar"), /tok\/s · first in [\d.]+ s/);
    assert.match(await textOf("#status"), /^Answer complete, \d+ words$/);
    assert.match(await textOf("#meter"), /^[\d,]+ \/ 1,024$/);
    await ask("Tell me a tiny story");
    await ended(2);
    await shot("talk");
    assert.equal(await page.locator(".thread").count(), 1);
  },

  async "Enter sends, Shift+Enter breaks the line, and neither while an input method composes"() {
    await fresh();
    await canned("yes");
    await page.fill("#ask", "one");
    await page.press("#ask", "Shift+Enter");
    await page.type("#ask", "two");
    assert.equal(await page.inputValue("#ask"), "one\ntwo");
    await page.evaluate(() => document.getElementById("ask").dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true, cancelable: true })));
    assert.equal(await page.locator(".you").count(), 0);
    await page.press("#ask", "Enter");
    await ended();
    assert.match(await textOf(".you"), /one\ntwo$/);
    assert.equal(await page.inputValue("#ask"), "");
  },

  async "stop stops the engine and keeps what came"() {
    await fresh();
    await endless();
    await ask("Tell me a story");
    await page.waitForFunction(() => document.querySelector(".it .text")?.textContent.length > 20);
    assert.equal(await page.getAttribute("#send", "aria-label"), "Stop");
    await shot("busy");
    await page.click("#send");
    await ended();
    assert.match(await textOf(".it .bar"), /stopped/);
    assert.equal(await textOf("#status"), "Answer stopped");
    const until = Date.now() + 20000;
    while ((await engine()).running > 0 && Date.now() < until) await new Promise((done) => setTimeout(done, 50));
    assert.equal((await engine()).running, 0);
    const { tokens } = await engine();
    await new Promise((done) => setTimeout(done, 500));
    assert.equal((await engine()).tokens, tokens);
  },

  async "a full context is told, and the reader is left in peace meanwhile"() {
    await fresh({ size: { width: 1200, height: 420 } });
    await endless();
    await ask("Tell me a story");
    await page.waitForFunction(() => document.getElementById("scroll").scrollTop > 150, null, { timeout: 60000 });
    await page.hover("#scroll");
    await page.mouse.wheel(0, -120);
    await page.waitForFunction(() => !document.getElementById("down").hidden);
    const at = await page.evaluate(() => document.getElementById("scroll").scrollTop);
    await page.waitForTimeout(700);
    assert.ok(Math.abs((await page.evaluate(() => document.getElementById("scroll").scrollTop)) - at) < 2, "the page pulled the reader down");
    await page.click("#down");
    await ended();
    assert.match(await textOf(".told"), /context is full.*1,024 tokens/);
    const gap = await page.evaluate(() => { const s = document.getElementById("scroll"); return s.scrollHeight - s.scrollTop - s.clientHeight; });
    assert.ok(gap < 41, `the end is ${gap} pixels away`);
    await page.unroute(chatPath);
    await ask("more ".repeat(1500));
    await ended(2);
    assert.match(await textOf(".told.bad"), /maximum context length is 1024 tokens/);
    complaints = complaints.filter((text) => !text.includes("400"));
    await shot("full");
    await page.click(".told.bad button");
    assert.ok(await page.isVisible("#hero"));
  },

  async "models are chosen with the keyboard, and answer"() {
    await fresh();
    await page.focus("#pick");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#models:not([hidden])");
    await page.waitForTimeout(200);
    await shot("models");
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.getElementById("pick-name").textContent === "twin" && document.getElementById("model-state").textContent.startsWith("in memory"), null, { timeout: 30000 });
    assert.equal(await textOf("#status"), "twin is ready");
    await ask("Hello");
    await ended();
    assert.match(await textOf(".who"), /twin/);
    await page.click("#pick");
    await page.click("#models li:first-child");
    await page.waitForFunction(() => document.getElementById("pick-name").textContent === "ember" && document.getElementById("model-state").textContent.startsWith("in memory"), null, { timeout: 30000 });
  },

  async "a model on its way shows how far it is"() {
    await fresh();
    const progress = { what: "loading model.safetensors", done: 2.6e9, total: 4.1e9, unit: "bytes" };
    await page.route("**/api/models", (route) => route.fulfill({ json: { models: [{ name: "mistral/7b-instruct", bytes: 4.1e9, builtin: false, state: "loading", progress }, { name: "ember", bytes: 1.1e7, builtin: true, state: "idle" }] } }));
    await page.route("**/api/models/load", (route) => route.fulfill({ status: 202, json: {} }));
    await page.click("#pick");
    await page.click("#models li:first-child");
    await page.waitForFunction(() => document.getElementById("model-state").textContent.includes("2.60 GB of 4.10 GB"));
    assert.equal(await page.getAttribute("#loading", "aria-valuenow"), "63");
    await page.waitForTimeout(300);
    await shot("loading");
  },

  async "a model that cannot be loaded says why"() {
    await fresh();
    await page.click("#pick");
    await page.click("#models li:has-text('broken')");
    await page.waitForSelector(".told.bad", { timeout: 30000 });
    assert.match(await textOf(".told.bad"), /broken could not be loaded: .*config\.json/);
    await shot("broken");
    await page.click("text=Dismiss");
    assert.ok(await page.isVisible("#hero"));
  },

  async "what a model says never becomes HTML"() {
    await fresh();
    const attacks = [
      "<img src=x onerror=window.pwned=1>", "<script>window.pwned=1</script>", "<svg onload=window.pwned=1>", "[x](javascript:window.pwned=1)", "[x](JaVaScRiPt:window.pwned=1)",
      "[x](data:text/html,<script>1</script>)", "![x](http://127.0.0.1:1/leak.png)", "[x](https://example.com\" onmouseover=\"window.pwned=1)", "```html\n<script>window.pwned=1</script>\n```",
      "`<b>` **<i>bold</i>**", "| <u>a</u> | b |\n|---|---|\n| <img src=x onerror=window.pwned=1> | c |", "- <iframe src=//example.com></iframe>", "# <a href=javascript:window.pwned=1>x</a>", "&lt;script&gt;", "https://example.com/<script>",
    ];
    await canned(attacks.join("\n\n"));
    await ask("attack");
    await ended();
    assert.equal(await page.evaluate(() => window.pwned), undefined);
    assert.equal(await page.locator(".text :is(img, script, svg, iframe, b, i, u)").count(), 0);
    for (const link of await page.locator(".text a").all()) {
      assert.match(await link.getAttribute("href"), /^https?:/);
      assert.equal(await link.getAttribute("rel"), "noopener noreferrer");
    }
    const outcome = await page.evaluate(() => { try { document.body.innerHTML = "<p>x</p>"; return "set"; } catch { return "refused"; } });
    assert.equal(outcome, "refused", "the policy of the page forbids text to become HTML");
    complaints = complaints.filter((text) => !/TrustedHTML|Trusted Type/i.test(text));
  },

  async "a list of known attacks stays text"() {
    const file = join(process.env.HEARTH_SHARED_DATA ?? join(import.meta.dirname, "../../../../shared/data"), "xss", "xss-payload-list.txt");
    if (!existsSync(file)) return console.log("skipped: ../shared/data absent");
    await fresh();
    let dialogs = 0;
    page.on("dialog", (dialog) => { ++dialogs; dialog.dismiss(); });
    const all = readFileSync(file, "utf8").split("\n").filter((line) => line.trim());
    for (let at = 0; at < all.length; at += 400) {
      await page.unroute(chatPath);
      await canned(all.slice(at, at + 400).flatMap((line) => [line, `- ${line}`, `[x](${line})`, `**${line}**`]).join("\n\n"));
      await ask(all[at]);
      await ended(1 + at / 400);
    }
    assert.equal(dialogs, 0);
    const allowed = "p, br, a, code, strong, em, ul, ol, li, h1, h2, h3, h4, hr, blockquote, div, table, thead, tbody, tr, th, td, pre, header, span, button";
    assert.deepEqual(await page.evaluate((names) => [...document.querySelectorAll(".text *")].filter((node) => !node.matches(names)).map((node) => node.outerHTML), allowed), []);
    const other = await page.evaluate(() => [...document.querySelectorAll(".text *")].flatMap((node) => [...node.attributes].map((a) => a.name)).filter((name) => !["class", "href", "target", "rel", "type", "tabindex", "start", "scope"].includes(name)));
    assert.deepEqual(other, []);
    assert.equal(await page.evaluate(() => [...document.querySelectorAll(".text a")].filter((a) => !/^https?:/.test(a.href)).length), 0);
  },

  async "Markdown becomes paragraphs, lists, tables and code"() {
    await fresh();
    await canned("## Bread\n\nMix **flour** and *water*, `salt`:\nthen wait.\n\n1. Mix\n   - by hand\n   - for a minute\n2. Bake\n\n- a_b_c stays\n- 2 * 3 * 4\n\n> Patience.\n\n| Part | Grams |\n|:--|--:|\n| Flour | 500 |\n| Water | 350 |\n\n```python\ndef bake(kg: float) -> float:\n    # ** not bold **\n    return kg * 60\n```\n\n---\n\nSee https://example.com/a_b. Done ~~~");
    await ask("How do I bake bread?");
    await ended();
    const count = (selector) => page.locator(`.text ${selector}`).count();
    assert.equal(await textOf(".text h2"), "Bread");
    assert.equal(await textOf(".text strong"), "flour");
    assert.equal(await textOf(".text em"), "water");
    assert.equal(await count("ol > li"), 2);
    assert.equal(await count("ol > li > ul > li"), 2);
    assert.equal(await textOf(".text > ul"), "a_b_c stays2 * 3 * 4");
    assert.equal(await count("td"), 4);
    assert.equal(await count("blockquote"), 1);
    assert.equal(await count("hr"), 1);
    assert.equal(await textOf(".code header span"), "python");
    assert.equal(await textOf(".code pre"), "def bake(kg: float) -> float:\n    # ** not bold **\n    return kg * 60");
    assert.equal(await page.getAttribute(".text a", "href"), "https://example.com/a_b");
    await shot("markdown");
    await page.click(".code button");
    await page.waitForFunction(() => document.querySelector(".code button").textContent === "Copied");
    await page.focus("#ask");
    await page.keyboard.press("Control+V");
    assert.match(await page.inputValue("#ask"), /^def bake.*\n.*not bold.*\n +return kg \* 60$/);
  },

  async "a long answer of one kind of mark is shown in time"() {
    for (const text of ["*".repeat(20000), "[".repeat(20000), "`a".repeat(10000), "_a".repeat(10000), "> ".repeat(2000), "| a ".repeat(5000) + "\n|-|", "- x\n".repeat(3000), "\\".repeat(20000)]) {
      await fresh();
      await canned(text);
      const begin = Date.now();
      await ask("marks");
      await ended();
      assert.ok(Date.now() - begin < 20000, `${text.slice(0, 10)} took ${Date.now() - begin} ms`);
    }
  },

  async "settings reach the request"() {
    await fresh();
    await page.click("#open-settings");
    await page.fill("#temperature", "0.25");
    await page.fill("#longest", "12");
    await page.fill("#system", "Answer like a pirate.");
    await shot("settings");
    await page.click("text=Done");
    assert.equal(await textOf("#chip-settings"), "temperature 0.25 · at most 12 tokens · instructions");
    const sent = page.waitForRequest(chatPath);
    await ask("Hello");
    const body = (await sent).postDataJSON();
    assert.equal(body.temperature, 0.25);
    assert.equal(body.max_tokens, 12);
    assert.deepEqual(body.messages, [{ role: "system", content: "Answer like a pirate." }, { role: "user", content: "Hello" }]);
    await ended();
    await page.click("#chip-settings");
    await page.click("#reset");
    await page.keyboard.press("Escape");
    assert.ok(await page.isHidden("#chip-settings"));
  },

  async "chats are kept side by side, and a question can be asked again"() {
    await fresh();
    await canned("one");
    await ask("first question");
    await ended();
    await page.keyboard.press("Control+Shift+O");
    assert.ok(await page.isVisible("#hero"));
    await ask("second question");
    await ended();
    assert.deepEqual(await page.locator(".thread").allTextContents(), ["second question", "first question"]);
    await page.click(".thread:has-text('first')");
    assert.match(await textOf(".you"), /first question/);
    await page.unroute(chatPath);
    await canned("two");
    await page.click("text=Retry");
    await page.waitForFunction(() => document.querySelector(".text")?.textContent === "two");
    assert.equal(await page.locator(".it").count(), 1);
  },

  async "a server that is gone is told"() {
    await fresh();
    await page.route(chatPath, (route) => route.abort());
    await ask("anyone?");
    await ended();
    assert.match(await textOf(".told.bad"), /server cannot be reached/);
    complaints = complaints.filter((text) => !text.includes("ERR_FAILED"));
  },

  async "it fits a phone, in the dark"() {
    await fresh({ size: { width: 390, height: 780 }, dark: true });
    await shot("phone-empty");
    await ask("Write a short program");
    await ended();
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing sticks out");
    assert.ok(await page.isVisible("#new-narrow"));
    await shot("phone");
    await page.setViewportSize({ width: 1200, height: 800 });
    await shot("dark");
  },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  try {
    await test();
    assert.deepEqual(complaints, [], "the browser complained");
    console.log(`ok      ${name}`);
  } catch (error) {
    ++failed;
    console.log(`FAILED  ${name}\n${error.stack}`);
  }
}
await browser.close();
rmSync(profile, { recursive: true, force: true });
console.log(`${Object.keys(tests).length - failed} of ${Object.keys(tests).length} passed`);
process.exit(failed ? 1 : 0);
