import { isJsonObject, META, type Era, type JsonObject } from "@cortex-os/mcp-core/wire";
import type { Judge } from "./answer-check.js";
import { payloadText, REVISION } from "./minimal-server.js";
import type { Target } from "./target.js";

/** What is asked of a tool of the minimal upstream, over and over. */
export type Ask =
  | { readonly tool: "echo" }
  | { readonly tool: "payload"; readonly bytes: number }
  | { readonly tool: "progress"; readonly steps: number };

/** Where a tool is called, and how. */
export interface CallPlace {
  readonly url: string;
  readonly era: Era;
  /** What stands before the names of the upstream's tools. */
  readonly prefix: string;
  /** The session of this connection, if there is one. */
  readonly session: string | undefined;
}

/**
 * The call that one connection makes. Each connection has an id and a text of its own, so that an answer that went astray is a bad one, and every answer is read as what it must be.
 * @param connection which one, from 0
 */
export function toolCall({ url, era, prefix, session }: CallPlace, ask: Ask, connection: number): Target {
  const name = prefix + ask.tool;
  const id = connection + 1;
  const meta = { ...(era === "modern" ? CALLER : {}), ...(ask.tool === "progress" ? { progressToken: id } : {}) };
  const params = { name, arguments: argumentsOf(ask, id), ...(Object.keys(meta).length > 0 ? { _meta: meta } : {}) };
  return {
    url,
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": REVISION[era],
      ...(era === "modern" ? { "mcp-method": "tools/call", "mcp-name": name } : {}),
      ...(session === undefined ? {} : { "mcp-session-id": session }),
    },
    body: JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params }),
    judge: judgeOf(id, textOf(ask, id), ask.tool === "progress" ? ask.steps : 0),
  };
}

const CALLER: JsonObject = {
  [META.protocolVersion]: REVISION.modern,
  [META.clientInfo]: { name: "benchmark", version: "1.0.0" },
  [META.clientCapabilities]: {},
};

const messageOf = (id: number): string => `hello from ${id}`;

function argumentsOf(ask: Ask, id: number): JsonObject {
  switch (ask.tool) {
    case "echo":
      return { message: messageOf(id) };
    case "payload":
      return { bytes: ask.bytes };
    case "progress":
      return { steps: ask.steps, message: messageOf(id) };
  }
}

const textOf = (ask: Ask, id: number): string => (ask.tool === "payload" ? payloadText(ask.bytes) : messageOf(id));

/** The answer under its id with just this text, after so many notifications of progress in their order. */
function judgeOf(id: number, text: string, steps: number): Judge {
  return (body) => {
    const messages = messagesOf(body);
    const answer = messages.at(-1);
    const result = answer?.["result"];
    const content = isJsonObject(result) ? result["content"] : undefined;
    const block: unknown = Array.isArray(content) ? content[0] : undefined;
    if (answer?.["id"] !== id || !isJsonObject(block) || block["text"] !== text)
      return "not the result that was asked for";
    const progress = messages
      .slice(0, -1)
      .map(({ method, params }) =>
        method === "notifications/progress" && isJsonObject(params) && params["progressToken"] === id
          ? params["progress"]
          : undefined,
      );
    const isRight = progress.length === steps && progress.every((value, at) => value === at + 1);
    return isRight ? undefined : `not the ${steps} notifications of progress that were asked for`;
  };
}

/** The messages of a body, which is one JSON text or a stream of server-sent events. */
function messagesOf(body: string): readonly JsonObject[] {
  const texts = body.startsWith("{") ? [body] : body.split("\n").flatMap((line) => dataOf(line));
  return texts.map((text): unknown => JSON.parse(text)).filter(isJsonObject);
}

/** Events without data say where a stream can be taken up again, and nothing else. */
function dataOf(line: string): readonly string[] {
  const data = line.startsWith("data:") ? line.slice("data:".length).trim() : "";
  return data === "" ? [] : [data];
}
