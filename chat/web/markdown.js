// Markdown as models write it, into DOM nodes. Only createElement and text: what a model says can never become HTML.
import { copyButton, el } from "./dom.js";

const kInlineLimit = 20000; // characters of one block that are looked at for marks; the rest is shown as it is
const kMaxDepth = 6;

/* ---- inside a line ---- */

function link(text, address) {
  if (!/^https?:\/\//i.test(address)) return null;
  return el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, ...inline(text, kMaxDepth));
}

/** At text[at] something may begin: [its end, its node], or null. */
function mark(text, at, depth) {
  const c = text[at];
  if (c === "`") {
    let run = 1;
    while (text[at + run] === "`") ++run;
    const fence = "`".repeat(run);
    const end = text.indexOf(fence, at + run);
    if (end > 0) return [end + run, el("code", {}, text.slice(at + run, end).trim() || " ")];
  } else if ((c === "*" || c === "_") && text[at + 1] === c) {
    const end = text.indexOf(c + c, at + 2);
    if (end > at + 2 && text[at + 2] !== " ") return [end + 2, el("strong", {}, ...inline(text.slice(at + 2, end), depth + 1))];
  } else if (c === "*" || c === "_") {
    const end = text.indexOf(c, at + 1);
    const inWord = c === "_" && (/\w/.test(text[at - 1] ?? " ") || /\w/.test(text[end + 1] ?? " "));
    if (end > at + 1 && text[at + 1] !== " " && text[end - 1] !== " " && !inWord) return [end + 1, el("em", {}, ...inline(text.slice(at + 1, end), depth + 1))];
  } else if (c === "[") {
    const middle = text.indexOf("](", at);
    const end = middle < 0 ? -1 : text.indexOf(")", middle);
    const node = end < 0 || text.slice(at + 1, middle).includes("\n") ? null : link(text.slice(at + 1, middle), text.slice(middle + 2, end));
    if (node) return [end + 1, node];
  } else if (c === "h" && /^https?:\/\//i.test(text.slice(at, at + 8)) && !/\w/.test(text[at - 1] ?? " ")) {
    const address = text.slice(at, at + 2000).match(/^[^\s<>"'`|\\^{}]+/)[0].replace(/[.,;:!?)\]]+$/, "");
    return [at + address.length, el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, address)];
  }
  return null;
}

function inline(text, depth = 0) {
  if (depth >= kMaxDepth) return [text];
  const out = [];
  let plain = 0;
  for (let at = 0; at < Math.min(text.length, kInlineLimit); ++at) {
    if (text[at] === "\\" && /[!-/:-@[-`{-~]/.test(text[at + 1] ?? "")) {
      out.push(text.slice(plain, at));
      plain = ++at;
      continue;
    }
    if (!"`*_[h".includes(text[at])) continue;
    const found = mark(text, at, depth);
    if (!found) {
      while (text[at + 1] === text[at]) ++at; // a run that means nothing is looked at once
      continue;
    }
    out.push(text.slice(plain, at), found[1]);
    plain = found[0];
    at = plain - 1;
  }
  out.push(text.slice(plain));
  return out.filter((part) => part !== "");
}

/** Lines of a paragraph; a line break of the model's stays one. */
function lines(text) {
  return inline(text.trim()).flatMap((part) =>
    typeof part !== "string" ? [part] : part.split("\n").flatMap((line, i) => (i ? [el("br"), line] : [line])));
}

/* ---- blocks ---- */

const kFence = /^ {0,3}(```+|~~~+)\s*([^\s`]*)/;
const kHeading = /^ {0,3}(#{1,6})\s+(.*)$/;
const kRule = /^ {0,3}([-*_])( *\1){2,}\s*$/;
const kItem = /^( *)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const kQuote = /^ {0,3}> ?/;
const kTableRule = /^ *\|?( *:?-+:? *\|)+( *:?-+:? *)?$/;

function codeBlock(language, text) {
  const code = el("code", {}, text);
  const head = el("header", {}, el("span", {}, language || "code"), el("span", { className: "grow" }), copyButton(() => text));
  return el("div", { className: "code" }, head, el("pre", { tabIndex: 0 }, code));
}

const cells = (row) => row.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());

function table(rows) {
  const head = el("tr", {}, ...cells(rows[0]).map((cell) => el("th", { scope: "col" }, ...inline(cell))));
  const body = rows.slice(2).map((row) => el("tr", {}, ...cells(row).map((cell) => el("td", {}, ...inline(cell)))));
  return el("div", { className: "table" }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...body)));
}

/** The items of a list, given as lines; deeper ones by indentation. */
function list(rows, depth) {
  const first = rows[0].match(kItem);
  const ordered = /\d/.test(first[2]);
  const out = el(ordered ? "ol" : "ul");
  if (ordered && parseInt(first[2]) !== 1) out.start = parseInt(first[2]);
  const indent = first[1].length;
  const items = [];
  for (const row of rows) {
    const item = row.match(kItem);
    if (item && item[1].length <= indent + 1) items.push({ text: [item[3]], inner: [] });
    else if (item || items.at(-1).inner.length) items.at(-1).inner.push(row);
    else items.at(-1).text.push(row.trim());
  }
  for (const { text, inner } of items) {
    const node = el("li", {}, ...lines(text.join("\n")));
    if (inner.length) node.append(...(depth < kMaxDepth && kItem.test(inner[0]) ? [list(inner, depth + 1)] : [inner.join("\n")]));
    out.append(node);
  }
  return out;
}

/** One block from rows[at]: [the row after it, its node]. rows[at] is not blank. */
function block(rows, at, depth) {
  const row = rows[at];
  const fence = row.match(kFence);
  if (fence) {
    let end = at + 1;
    while (end < rows.length && !(rows[end].trim().startsWith(fence[1]) && /^[`~]+$/.test(rows[end].trim()))) ++end;
    return [end + 1, codeBlock(fence[2], rows.slice(at + 1, end).join("\n"))];
  }
  const heading = row.match(kHeading);
  if (heading) return [at + 1, el("h" + Math.min(heading[1].length, 4), {}, ...inline(heading[2].replace(/\s+#+\s*$/, "")))];
  if (kRule.test(row)) return [at + 1, el("hr")];
  let end = at;
  if (kQuote.test(row) && depth < kMaxDepth) {
    while (end < rows.length && kQuote.test(rows[end])) ++end;
    const inner = rows.slice(at, end).map((line) => line.replace(kQuote, ""));
    return [end, el("blockquote", {}, ...blocks(inner, depth + 1).map((part) => part.node))];
  }
  if (kItem.test(row)) {
    const [, indent, sign] = row.match(kItem);
    const isItem = (line) => {
      const item = line?.match(kItem); // another kind of sign at the same depth begins another list
      return item && (item[1].length > indent.length + 1 || /\d/.test(item[2]) === /\d/.test(sign));
    };
    const goesOn = (i) => isItem(rows[i]) || (!kItem.test(rows[i]) && /^ +\S/.test(rows[i]) && rows[i - 1].trim() !== "");
    end = at + 1;
    while (end < rows.length && (goesOn(end) || (rows[end].trim() === "" && isItem(rows[end + 1])))) ++end;
    return [end, list(rows.slice(at, end).filter((line) => line.trim() !== ""), depth)];
  }
  if (row.includes("|") && kTableRule.test(rows[at + 1] ?? "")) {
    while (end < rows.length && rows[end].includes("|")) ++end;
    return [end, table(rows.slice(at, end))];
  }
  end = at + 1;
  const begins = (line) => line.trim() === "" || kFence.test(line) || kHeading.test(line) || kItem.test(line) || kQuote.test(line) || kRule.test(line);
  while (end < rows.length && !begins(rows[end]) && !(rows[end].includes("|") && kTableRule.test(rows[end + 1] ?? ""))) ++end;
  return [end, el("p", {}, ...lines(rows.slice(at, end).join("\n")))];
}

/** [{ row where it begins, node }] */
function blocks(rows, depth = 0) {
  const out = [];
  for (let at = 0; at < rows.length; ) {
    if (rows[at].trim() === "") {
      ++at;
      continue;
    }
    const [end, node] = block(rows, at, depth);
    out.push({ row: at, node });
    at = end;
  }
  return out;
}

/** Shows a text that grows: only what may still change is made anew, so that long answers stay cheap and do not flicker. */
export class MarkdownView {
  constructor(node) {
    this.node = node;
    this.settled = 0; // characters whose blocks stand
    this.open = []; // nodes of the last block
  }

  show(text) {
    const rest = text.slice(this.settled);
    const rows = rest.split("\n");
    const parts = blocks(rows);
    for (const node of this.open) node.remove();
    this.node.append(...parts.map((part) => part.node));
    this.open = parts.length ? [parts.at(-1).node] : [];
    // All blocks but the last stand: nothing that comes can change them.
    if (parts.length > 1) this.settled += rows.slice(0, parts.at(-1).row).reduce((sum, row) => sum + row.length + 1, 0);
  }
}
