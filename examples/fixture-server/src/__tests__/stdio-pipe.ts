import { PassThrough } from "node:stream";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { vi } from "vitest";
import { serveFixtureStdio, type FixtureStdioOptions } from "../stdio/serve-fixture-stdio.js";
import { META_FIELDS } from "./support.js";

/** A server on a pair of streams in this process. */
export interface Pipe {
  readonly input: PassThrough;
  readonly output: PassThrough;
  /** Everything the server wrote so far, one parsed message a line. */
  readonly messages: JsonObject[];
  /** Resolves when the server has finished. */
  readonly served: Promise<void>;
  send(message: JsonObject): void;
  /** The answer to the request of this id, once it is there. */
  answerTo(id: number | string): Promise<JsonObject>;
}

/** Serves on a new pair of streams. */
export function openPipe(options: Omit<FixtureStdioOptions, "input" | "output"> = {}): Pipe {
  const input = new PassThrough();
  const output = new PassThrough();
  const messages: JsonObject[] = [];
  let rest = "";
  output.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    messages.push(...lines.map((line) => JSON.parse(line) as JsonObject));
  });
  const served = serveFixtureStdio({ ...options, input, output });
  return {
    input,
    output,
    messages,
    served,
    send: (message) => void input.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`),
    answerTo: async (id) =>
      await vi.waitFor(() => {
        const found = messages.find((message) => message["id"] === id);
        if (found === undefined) throw new Error(`no answer to ${id} in ${JSON.stringify(messages)}`);
        return found;
      }),
  };
}

/** A modern request. */
export const modernRequest = (id: number | string, method: string, params: JsonObject = {}): JsonObject => ({
  id,
  method,
  params: { _meta: META_FIELDS, ...params },
});

/** A legacy client's opening. */
export const initialize = (protocolVersion = "2025-11-25", capabilities: JsonObject = {}): JsonObject => ({
  id: "init",
  method: "initialize",
  params: { protocolVersion, capabilities, clientInfo: { name: "pipe", version: "0" } },
});
