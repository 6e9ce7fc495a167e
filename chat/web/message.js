// One message as the reader sees it.
import { copyButton, el } from "./dom.js";
import { MarkdownView } from "./markdown.js";
import { count } from "./models.js";

export const yourMessage = (text) => el("div", { className: "you" }, el("span", { className: "sr-only" }, "You: "), text);

/** An answer: grows, ends, and says how it went. */
export class AnswerView {
  constructor(model) {
    this.text = el("div", { className: "text" });
    this.foot = el("div");
    this.node = el("article", { className: "it busy" }, el("div", { className: "who" }, el("span", { className: "dot" }), model), this.text, this.foot);
    this.node.setAttribute("aria-label", `Answer of ${model}`);
    this.view = new MarkdownView(this.text);
    this.shown = "";
  }

  /** Shows `text` with the next picture: many pieces may come for one. */
  show(text, after = () => {}) {
    const waiting = this.wanted !== undefined;
    this.wanted = text;
    if (!waiting) requestAnimationFrame(() => { this.flush(); after(); });
  }

  flush() {
    if (this.wanted === undefined) return;
    this.shown = this.wanted;
    this.wanted = undefined;
    this.view.show(this.shown);
  }

  /** The answer ended. `told`: [{ text, bad, action: [label, f] }]; `onRetry`: asks again. */
  end({ told = [], timings = null, stopped = false, onRetry }) {
    this.flush();
    this.node.classList.remove("busy");
    for (const { text, bad, action } of told) {
      const box = el("div", { className: bad ? "told bad" : "told", role: bad ? "alert" : "note" }, el("span", {}, text));
      if (action) box.append(el("button", { type: "button", onclick: action[1] }, action[0]));
      this.foot.append(box);
    }
    const bar = el("div", { className: "bar" });
    if (this.shown) bar.append(copyButton(() => this.shown));
    bar.append(el("button", { type: "button", onclick: onRetry }, "Retry"), el("span", { className: "grow" }));
    if (stopped) bar.append(el("span", {}, "stopped"));
    if (timings) bar.append(speed(timings));
    this.foot.append(bar);
  }
}

/** "41 tok/s · first in 0.6 s · 1,812 of 1,894 cached" */
function speed(timings) {
  const parts = [];
  if (timings.predicted_per_second > 0) parts.push(el("b", {}, `${count(Number(timings.predicted_per_second.toPrecision(3)))} tok/s`));
  const first = (timings.queued_ms + timings.prompt_ms) / 1000;
  parts.push(`first in ${first < 0.1 ? first.toFixed(2) : first.toFixed(1)} s`);
  if (timings.cache_n > 0) parts.push(`${count(timings.cache_n)} of ${count(timings.prompt_n)} cached`);
  return el("span", {}, ...parts.flatMap((part, i) => (i ? [" · ", part] : [part])));
}
