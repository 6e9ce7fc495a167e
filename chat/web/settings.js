// Temperature, longest answer and instructions. Kept while the page is open, and nowhere else.
import { byId } from "./dom.js";

export class Settings {
  constructor(onChange) {
    this.temperature = null; // null: the model's own
    this.longest = null;
    this.system = "";
    this.onChange = onChange;
    this.dialog = byId("settings");
    byId("temperature").addEventListener("input", (event) => this.set({ temperature: Number(event.target.value) }));
    byId("longest").addEventListener("input", (event) => this.set({ longest: event.target.value && event.target.validity.valid ? Number(event.target.value) : null }, false));
    byId("system").addEventListener("input", (event) => this.set({ system: event.target.value }, false));
    byId("reset").addEventListener("click", () => this.set({ temperature: null, longest: null, system: "" }));
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close(); });
    this.show();
  }

  open() {
    this.show();
    this.dialog.showModal();
  }

  set(values, redraw = true) {
    Object.assign(this, values);
    if (redraw) this.show();
    this.onChange(this);
  }

  show() {
    byId("temperature").value = this.temperature ?? 1;
    byId("temperature-shown").textContent = this.temperature === null ? "model’s own" : this.temperature.toFixed(2);
    byId("longest").value = this.longest ?? "";
    byId("system").value = this.system;
  }

  /** What differs from the defaults, in few words; "" for nothing. */
  summary() {
    const parts = [];
    if (this.temperature !== null) parts.push(`temperature ${this.temperature.toFixed(2)}`);
    if (this.longest !== null) parts.push(`at most ${this.longest} tokens`);
    if (this.system.trim()) parts.push("instructions");
    return parts.join(" · ");
  }

  /** The fields of a request. */
  request(messages) {
    const out = { messages: this.system.trim() ? [{ role: "system", content: this.system.trim() }, ...messages] : messages };
    if (this.temperature !== null) out.temperature = this.temperature;
    if (this.longest !== null) out.max_tokens = this.longest;
    return out;
  }
}
