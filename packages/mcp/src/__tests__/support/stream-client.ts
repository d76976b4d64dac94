import type { Readable, Writable } from "node:stream";
import { META, type JsonObject } from "@cortex-os/mcp-core/wire";
import { vi } from "vitest";

/** The `_meta` that every modern request needs. */
const MODERN_META = { [META.protocolVersion]: "2026-07-28", [META.clientCapabilities]: {} };

/** A client on a pair of byte streams, in the hands of a test. */
export class StreamClient {
  /** Every line that came. A line that is no JSON fails the test that looks at {@link messages}. */
  readonly lines: string[] = [];
  /** The other side closed its stream. */
  isClosed = false;
  readonly #output: Writable;
  #rest = "";

  constructor(input: Readable, output: Writable) {
    this.#output = output;
    input.setEncoding("utf8");
    input.on("data", (text: string) => {
      const lines = (this.#rest + text).split("\n");
      this.#rest = lines.pop() ?? "";
      this.lines.push(...lines);
    });
    for (const event of ["end", "close"]) input.on(event, () => (this.isClosed = true));
  }

  get messages(): JsonObject[] {
    return this.lines.map((line) => JSON.parse(line) as JsonObject);
  }

  /** Sends one message, or this text as it is. */
  send(message: object | string): void {
    this.#output.write(typeof message === "string" ? message : `${JSON.stringify(message)}\n`);
  }

  request(id: string | number, method: string, params?: JsonObject): void {
    this.send({ jsonrpc: "2.0", id, method, ...(params === undefined ? {} : { params }) });
  }

  modern(id: string | number, method: string, params: JsonObject = {}): void {
    this.request(id, method, { _meta: MODERN_META, ...params });
  }

  notify(method: string, params?: JsonObject): void {
    this.send({ jsonrpc: "2.0", method, ...(params === undefined ? {} : { params }) });
  }

  end(): void {
    this.#output.end();
  }

  /** Resolves with the answer that has this id; `undefined`: an error that has none. */
  async answer(id: string | number | undefined): Promise<JsonObject> {
    return this.until((message) => message["id"] === id && message["method"] === undefined);
  }

  /** Resolves with the first message that is as `wanted` says. */
  async until(wanted: (message: JsonObject) => boolean): Promise<JsonObject> {
    return vi.waitFor(() => {
      const found = this.messages.find(wanted);
      if (found === undefined) throw new Error(`not among ${this.lines.join("\n").slice(0, 2_000)}`);
      return found;
    }, 10_000);
  }

  async untilClosed(): Promise<void> {
    await vi.waitFor(() => {
      if (!this.isClosed) throw new Error("still open");
    }, 10_000);
  }

  /** Opens a legacy session. */
  async initialize(revision = "2025-11-25", id: string | number = "init"): Promise<JsonObject> {
    const clientInfo = { name: "test", version: "1" };
    this.request(id, "initialize", { protocolVersion: revision, capabilities: {}, clientInfo });
    const answer = await this.answer(id);
    this.notify("notifications/initialized");
    return answer;
  }
}
