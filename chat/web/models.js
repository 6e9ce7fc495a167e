// The choice of model: what there is, what is in memory, what is on its way.
import { listModels, loadModel } from "./api.js";
import { byId, el } from "./dom.js";

const kPollMs = 300; // while a model loads, or the server does not answer

export function humanBytes(n) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (n >= 999.5 && unit < units.length - 1) (n /= 1000), ++unit;
  return `${unit === 0 || n >= 99.5 ? Math.round(n) : n >= 9.95 ? n.toFixed(1) : n.toFixed(2)} ${units[unit]}`;
}

/** "12,288" */
export const count = (n) => n.toLocaleString("en");

function describe(model) {
  if (model.state === "failed") return model.error;
  const parts = [humanBytes(model.bytes)];
  if (model.builtin) parts.push("built in");
  if (model.state === "ready") parts.push("in memory", `${count(model.context)} tokens of context`);
  if (model.quantization) parts.push(model.quantization);
  if (model.state === "loading") parts.push("loading");
  return parts.join(" · ");
}

export class ModelPicker {
  /** `say`: tells screen readers; `onError`: shows a sentence; `onChange`: the chosen model changed in some way. */
  constructor({ say, onError, onChange }) {
    Object.assign(this, { say, onError, onChange });
    this.models = [];
    this.chosen = null; // name
    this.at = 0; // row under the keyboard
    this.button = byId("pick");
    this.menu = byId("models");
    this.button.addEventListener("click", () => this.toggle());
    this.menu.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("click", (event) => { if (!event.target.closest(".picker")) this.close(); });
    this.refresh();
  }

  get current() {
    return this.models.find((model) => model.name === this.chosen);
  }

  async refresh() {
    clearTimeout(this.timer);
    let wait = null;
    try {
      const before = this.current?.state;
      this.models = await listModels();
      const usable = (m) => m.state === "ready" || m.state === "loading";
      this.chosen ??= (this.models.find((m) => m.chosen && usable(m)) ?? this.models.find(usable) ?? this.models.find((m) => m.state === "failed") ?? this.models[0])?.name;
      const now = this.current?.state;
      if (now === "loading") wait = kPollMs;
      if (before === "loading" && now === "ready") this.say(`${this.chosen} is ready`);
      if (before !== now && now === "failed") this.onError(`${this.chosen} could not be loaded: ${this.current.error}`);
    } catch {
      wait = 2000;
      byId("model-state").textContent = "the server does not answer";
    }
    if (wait) this.timer = setTimeout(() => this.refresh(), wait);
    if (this.models.length) this.draw();
    this.onChange();
  }

  draw() {
    const model = this.current;
    const loading = model?.state === "loading";
    byId("pick-name").textContent = this.chosen ?? "no model";
    byId("pick-tag").textContent = model?.quantization || "";
    byId("pick-tag").hidden = !model?.quantization;
    const { what = "", done = 0, total = 0, unit } = model?.progress ?? {};
    const amount = total > 0 && unit === "bytes" ? ` · ${humanBytes(done)} of ${humanBytes(total)}` : "";
    const states = { ready: `in memory · ${humanBytes(model?.bytes ?? 0)}`, loading: (what || "waiting to load") + amount, failed: "could not be loaded", idle: "not in memory" };
    byId("model-state").textContent = states[model?.state] ?? "";
    const bar = byId("loading");
    bar.hidden = !loading;
    bar.classList.toggle("unknown", total === 0);
    const percent = total > 0 ? Math.round((100 * done) / total) : 0;
    bar.style.setProperty("--p", `${percent}%`);
    if (total > 0) bar.setAttribute("aria-valuenow", String(percent));
    else bar.removeAttribute("aria-valuenow");
    if (!this.menu.hidden) this.drawMenu();
  }

  drawMenu() {
    this.menu.replaceChildren(...this.models.map((model, i) => {
      const row = el("li", { id: `model-${i}`, role: "option", className: i === this.at ? "at" : "" }, el("b", {}, model.name),
        el("small", { className: model.state === "failed" ? "bad" : "" }, describe(model)));
      row.setAttribute("aria-selected", String(model.name === this.chosen));
      row.addEventListener("click", () => this.choose(model.name));
      row.addEventListener("mousemove", () => { if (this.at !== i) (this.at = i), this.drawMenu(); });
      return row;
    }));
    this.menu.setAttribute("aria-activedescendant", `model-${this.at}`);
  }

  toggle() {
    if (!this.menu.hidden) return this.close();
    this.at = Math.max(0, this.models.findIndex((model) => model.name === this.chosen));
    this.menu.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.drawMenu();
    this.menu.focus();
    this.refresh();
  }

  close() {
    if (this.menu.hidden) return;
    this.menu.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
    if (document.activeElement === this.menu || document.activeElement === document.body) this.button.focus();
  }

  key(event) {
    const last = this.models.length - 1;
    const to = { ArrowDown: Math.min(this.at + 1, last), ArrowUp: Math.max(this.at - 1, 0), Home: 0, End: last }[event.key];
    if (to !== undefined) {
      this.at = to;
      this.drawMenu();
      byId(`model-${to}`).scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter" || event.key === " ") {
      this.choose(this.models[this.at].name);
    } else if (event.key === "Escape" || event.key === "Tab") {
      this.close();
      if (event.key === "Tab") return;
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  async choose(name) {
    this.chosen = name;
    this.close();
    if (this.current?.state === "ready") return this.refresh();
    this.say(`Loading ${name}`);
    try {
      await loadModel(name);
    } catch (error) {
      this.onError(error.message);
    }
    await this.refresh();
  }
}
