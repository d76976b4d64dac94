import { readEvents } from "./event-stream.js";
import { messagesOf, type Members, type Message } from "./message.js";
import type { OpenWire, Wire } from "./wire.js";

/** From which revision on a client names the revision in a header of every request after `initialize`. */
const NAMES_ITSELF_SINCE = "2025-06-18";

/** Streamable HTTP as a client of `revision` speaks it: with a session before 2026-07-28, with what a message says repeated in headers since. */
export function overHttp(url: string, revision: string): OpenWire {
  return async (onMessage) =>
    revision < "2026-07-28" ? new LegacyHttp(url, onMessage) : new ModernHttp(url, onMessage);
}

const JSON_HEADERS = { "content-type": "application/json", accept: "application/json, text/event-stream" };

/** POSTs and gives on what comes back, be it one JSON text or a stream of events. */
async function post(
  url: string,
  sent: object,
  headers: Readonly<Record<string, string>>,
  onMessage: (message: Message) => void,
  signal?: AbortSignal,
): Promise<Response> {
  const response = await fetch(url, {
    method: "POST",
    headers: { ...JSON_HEADERS, ...headers },
    body: JSON.stringify(sent),
    ...(signal === undefined ? {} : { signal }),
  });
  if (response.headers.get("content-type")?.startsWith("text/event-stream") === true && response.body !== null) {
    await readEvents(response.body, ({ data }) => {
      for (const message of messagesOf(data)) onMessage(message);
    });
    return response;
  }
  const text = await response.text();
  if (text !== "") for (const message of messagesOf(text)) onMessage(message);
  return response;
}

class LegacyHttp implements Wire {
  readonly cancelsByMessage = true;
  readonly #url: string;
  readonly #onMessage: (message: Message) => void;
  readonly #listening = new AbortController();
  #headers: Readonly<Record<string, string>> = {};
  #listened: Promise<unknown> = Promise.resolve();

  constructor(url: string, onMessage: (message: Message) => void) {
    this.#url = url;
    this.#onMessage = onMessage;
  }

  async send(sent: object): Promise<number> {
    const response = await post(this.#url, sent, this.#headers, this.#onMessage);
    const session = response.headers.get("mcp-session-id");
    if (session !== null) this.#headers = { ...this.#headers, "mcp-session-id": session };
    return response.status;
  }

  async listen(revision: string): Promise<void> {
    if (revision >= NAMES_ITSELF_SINCE) this.#headers = { ...this.#headers, "mcp-protocol-version": revision };
    const headers = { ...this.#headers, accept: "text/event-stream" };
    const { body, status } = await fetch(this.#url, { headers, signal: this.#listening.signal });
    if (status !== 200 || body === null) throw new Error(`no stream: ${status}`);
    this.#listened = readEvents(body, ({ data }) => {
      for (const message of messagesOf(data)) this.#onMessage(message);
    }).catch(() => {
      // Closed by us.
    });
  }

  async close(): Promise<void> {
    await fetch(this.#url, { method: "DELETE", headers: this.#headers });
    this.#listening.abort();
    await this.#listened;
  }
}

class ModernHttp implements Wire {
  readonly cancelsByMessage = false;
  readonly #url: string;
  readonly #onMessage: (message: Message) => void;

  constructor(url: string, onMessage: (message: Message) => void) {
    this.#url = url;
    this.#onMessage = onMessage;
  }

  async send(sent: object, signal?: AbortSignal): Promise<number> {
    const response = await post(this.#url, sent, modernHeaders(sent), this.#onMessage, signal);
    return response.status;
  }

  async listen(): Promise<void> {
    // It asks for what it wants to hear by a request.
  }

  async close(): Promise<void> {
    // There is nothing but requests.
  }
}

/** What a modern client repeats of a message in headers (2026-07-28, Streamable HTTP, Request Metadata Headers). */
function modernHeaders(sent: Message): Record<string, string> {
  const { method = "", params = {} } = sent;
  const meta = (params["_meta"] ?? {}) as Members;
  const name = method === "resources/read" ? params["uri"] : params["name"];
  const named = ["tools/call", "prompts/get", "resources/read"].includes(method) && typeof name === "string";
  return {
    "mcp-protocol-version": String(meta["io.modelcontextprotocol/protocolVersion"]),
    "mcp-method": method,
    ...(named ? { "mcp-name": name } : {}),
  };
}
