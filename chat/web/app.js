// The page: chats, the composer, and what happens between a question and its answer.
import { ApiError, chat } from "./api.js";
import { byId, el } from "./dom.js";
import { AnswerView, yourMessage } from "./message.js";
import { ModelPicker, count } from "./models.js";
import { Follower } from "./scroll.js";
import { Settings } from "./settings.js";

const kIdeas = [
  ["What is Hearth?", "and what it can do"],
  ["Tell me a tiny story", "a few sentences, another each time"],
  ["What is 17 + 25?", "sums of small numbers"],
  ["Write a short program", "one function, as code to copy"],
];

const ask = byId("ask"), send = byId("send"), talk = byId("talk");
const follower = new Follower(byId("scroll"), byId("down"));
const say = (text) => (byId("status").textContent = text);

/** The chats of this page, newest first. A chat: { title, messages: [{ role, content }], nodes, used } */
const chats = [];
let open = newChat();
let running = null; // { abort, chat } while an answer comes

function newChat() {
  return { title: "", messages: [], nodes: [], used: null };
}

const settings = new Settings(() => {
  byId("chip-settings").textContent = settings.summary();
  byId("chip-settings").hidden = !settings.summary();
});
const picker = new ModelPicker({ say, onChange: () => update(), onError: (text) => tell(text) });

/* ---- what is seen ---- */

function update() {
  const mine = running?.chat === open;
  send.classList.toggle("stop", mine);
  send.setAttribute("aria-label", mine ? "Stop" : "Send");
  send.disabled = !mine && (ask.value.trim() === "" || running !== null || !picker.chosen);
  byId("hero").hidden = open.nodes.length > 0;
  talk.hidden = open.nodes.length === 0;
  const context = picker.current?.context, meter = byId("meter");
  meter.hidden = !(open.used && context);
  if (!meter.hidden) {
    meter.firstElementChild.value = open.used / context;
    meter.lastElementChild.textContent = `${count(open.used)} / ${count(context)}`;
  }
}

function drawThreads() {
  const rows = chats.map((each) => {
    const row = el("button", { type: "button", className: "thread", onclick: () => show(each) }, each.title);
    if (each === open) row.setAttribute("aria-current", "page");
    return row;
  });
  byId("threads").replaceChildren(...(rows.length ? [el("div", { className: "day" }, "In this page")] : []), ...rows);
}

function show(which) {
  open = which;
  talk.replaceChildren(...open.nodes);
  drawThreads();
  update();
  follower.toEnd();
  ask.focus();
}

function add(which, node) {
  which.nodes.push(node);
  if (which === open) talk.append(node);
  update();
}

/** A sentence that belongs to no answer. */
function tell(text) {
  const node = el("div", { className: "told bad", role: "alert" }, el("span", {}, text));
  node.append(el("button", { type: "button", onclick: () => { node.remove(); open.nodes = open.nodes.filter((n) => n !== node); update(); } }, "Dismiss"));
  add(open, node);
  follower.grown();
}

function grow() {
  ask.style.height = "auto";
  ask.style.height = `${ask.scrollHeight}px`;
}

/* ---- asking ---- */

function submit(text) {
  text = text.trim();
  if (!text || running || !picker.chosen) return;
  if (!chats.includes(open)) {
    open.title = text.length > 60 ? `${text.slice(0, 60)}…` : text;
    chats.unshift(open);
  }
  open.messages.push({ role: "user", content: text });
  add(open, yourMessage(text));
  ask.value = "";
  grow();
  drawThreads();
  follower.toEnd();
  answer(open);
}

function startOver() {
  show(newChat());
}

function retry(which, view) {
  if (running) return;
  while (which.messages.at(-1)?.role === "assistant") which.messages.pop();
  which.nodes = which.nodes.filter((node) => node !== view.node);
  view.node.remove();
  answer(which);
}

function notesOf(end, error) {
  const fresh = ["New chat", startOver];
  if (error?.code === "context_length_exceeded") return [{ bad: true, text: `${error.message} Start a new chat to go on.`, action: fresh }];
  if (error) return [{ bad: true, text: error instanceof ApiError ? error.message : "The server cannot be reached." }];
  if (end?.contextFull) {
    const context = picker.current?.context;
    return [{ text: `The context is full: this model reads at most ${context ? count(context) : "its"} tokens, so the answer ends here.`, action: fresh }];
  }
  return end?.reason === "length" ? [{ text: "The answer reached the longest length of the settings." }] : [];
}

async function answer(which) {
  const view = new AnswerView(picker.chosen);
  const abort = new AbortController();
  running = { abort, chat: which };
  add(which, view.node);
  follower.grown();
  say("Answering");
  let text = "", end = null, error = null;
  try {
    end = await chat({ model: picker.chosen, ...settings.request(which.messages) }, abort.signal, (piece) => {
      text += piece;
      view.show(text, () => follower.grown());
    });
  } catch (e) {
    if (!abort.signal.aborted) error = e;
  }
  running = null;
  const stopped = abort.signal.aborted;
  if (text) which.messages.push({ role: "assistant", content: text });
  if (end?.usage) which.used = end.usage.total_tokens;
  view.end({ told: notesOf(end, error), timings: end?.timings, stopped, onRetry: () => retry(which, view) });
  const words = text.split(/\s+/).filter(Boolean).length;
  say(error ? "" : stopped ? "Answer stopped" : `Answer complete, ${words} words`);
  update();
  follower.grown();
  picker.refresh();
}

/* ---- hands on the page ---- */

byId("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  if (running?.chat === open) running.abort.abort();
  else submit(ask.value);
});
ask.addEventListener("input", () => { grow(); update(); });
ask.addEventListener("keydown", (event) => {
  // 229: some browsers end a composition with this key before they say so.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  submit(ask.value);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.shiftKey) ask.focus();
  else if (event.key === "Escape" && running?.chat === open && !byId("settings").open) running.abort.abort();
  else if (event.key.toLowerCase() === "o" && event.shiftKey && (event.ctrlKey || event.metaKey)) { event.preventDefault(); startOver(); }
});
for (const id of ["new", "new-narrow"]) byId(id).addEventListener("click", startOver);
for (const id of ["open-settings", "settings-narrow", "chip-settings"]) byId(id).addEventListener("click", () => settings.open());
byId("ideas").append(...kIdeas.map(([title, more]) => el("button", { type: "button", className: "idea", onclick: () => submit(title) }, title, el("small", {}, more))));
window.addEventListener("resize", () => follower.grown());
update();
