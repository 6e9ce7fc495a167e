// Talks to the server. Nothing here touches the page.

/** What the server said no with: its sentence and its code. */
export class ApiError extends Error {
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

async function fail(response) {
  let error = null;
  try {
    error = (await response.json()).error;
  } catch {
    // not one of ours
  }
  throw new ApiError(error?.message ?? `the server answered with status ${response.status}`, error?.code);
}

const post = (path, body, signal) =>
  fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal });

export async function listModels() {
  const response = await fetch("/api/models");
  if (!response.ok) await fail(response);
  return (await response.json()).models;
}

export async function loadModel(model) {
  const response = await post("/api/models/load", { model });
  if (!response.ok) await fail(response);
}

/** The data of each server-sent event in a body. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) if (part.startsWith("data: ")) yield part.slice(6);
  }
}

/**
 * Asks for an answer, and calls onText with each piece. Resolves to what the last pieces said: { reason, contextFull, timings, usage }.
 * Aborting the signal ends the answer in the engine too.
 */
export async function chat(request, signal, onText) {
  const response = await post("/v1/chat/completions", { ...request, stream: true, stream_options: { include_usage: true } }, signal);
  if (!response.ok) await fail(response);
  const end = {};
  for await (const data of events(response.body)) {
    if (data === "[DONE]") return end;
    const chunk = JSON.parse(data);
    if (chunk.error) throw new ApiError(chunk.error.message, chunk.error.code);
    if (chunk.usage) end.usage = chunk.usage;
    const choice = chunk.choices[0];
    if (choice?.delta.content) onText(choice.delta.content);
    if (choice?.finish_reason) Object.assign(end, { reason: choice.finish_reason, contextFull: chunk.context_full, timings: chunk.timings });
  }
  throw new ApiError("the connection ended before the answer did", "connection_lost");
}
