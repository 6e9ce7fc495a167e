// Makes elements. Text is always text: no string ever becomes HTML here or anywhere else in the page.

/** el("p", { className: "x", onclick: f }, child, "text") */
export function el(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in node) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

export const byId = (id) => document.getElementById(id);

/** Copies text; also where the page is not a secure context, as on another machine of a home network. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return;
  } catch {
    // no clipboard here
  }
  const area = el("textarea", { value: text, className: "sr-only" });
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** A button that copies what get() returns, and says so for a moment. */
export function copyButton(get) {
  const button = el("button", { type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    await copyText(get());
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  return button;
}
