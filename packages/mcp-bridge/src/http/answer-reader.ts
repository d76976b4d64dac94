import { GatewayError } from "@cortex-os/mcp-core";
import {
  classifyMessage,
  isDeeperThan,
  isJsonObject,
  SseParser,
  type ClassifiedMessage,
  type JsonRpcResponse,
  type RequestId,
} from "@cortex-os/mcp-core/wire";
import { quoteUpstream } from "../upstream-text.js";
import { protocolFailure, tooLargeFailure } from "./failures.js";
import { HeldBytes } from "./held-bytes.js";

/** The two ways in which MCP over HTTP answers. */
export type AnswerForm = "json" | "sse";

/** Which form a `content-type` announces, or `undefined` when MCP knows none such. */
export function answerForm(contentType: string | undefined): AnswerForm | undefined {
  // What nearly every answer says needs no taking apart.
  if (contentType === "application/json") return "json";
  const type = contentType?.split(";", 1)[0]?.trim().toLowerCase();
  if (type === "application/json") return "json";
  return type === "text/event-stream" ? "sse" : undefined;
}

/** Reads the messages out of one HTTP answer, whichever form it has. */
export interface AnswerReader {
  /** @throws GatewayError UPSTREAM_LIMIT or UPSTREAM_PROTOCOL; the answer cannot be read any further */
  push(chunk: Buffer): void;
  /** @throws GatewayError UPSTREAM_PROTOCOL when what came is not JSON */
  end(): void;
}

/** What is read out: valid messages only. */
export type MessageListener = (message: Exclude<ClassifiedMessage, { kind: "invalid" }>) => void;

/** @param maxBytes most bytes the whole answer (JSON) or one event (SSE) may have */
export function answerReader(
  form: AnswerForm,
  key: string,
  maxBytes: number,
  onMessage: MessageListener,
): AnswerReader {
  return form === "json" ? jsonReader(key, maxBytes, onMessage) : sseReader(key, maxBytes, onMessage);
}

function jsonReader(key: string, maxBytes: number, onMessage: MessageListener): AnswerReader {
  const held = new HeldBytes(key, maxBytes);
  return {
    push(chunk) {
      held.push(chunk);
    },
    end() {
      readMessages(key, held.take().toString("utf8"), onMessage);
    },
  };
}

function sseReader(key: string, maxBytes: number, onMessage: MessageListener): AnswerReader {
  const parser = new SseParser(({ event, data }) => {
    // An event without data primes a client to resume (2025-11-25, transports); one of another type is not MCP's.
    if (data === "" || event !== "message") return;
    readMessages(key, data, onMessage);
  }, maxBytes);
  return {
    push(chunk) {
      try {
        parser.push(chunk);
      } catch (error) {
        throw GatewayError.is(error) ? error : tooLargeFailure(key, maxBytes);
      }
    },
    end() {},
  };
}

/**
 * Reads the messages in one JSON text: one, or several in an array, which revision 2025-03-26 allowed.
 *
 * @param maxDepth deepest nesting of a message; without it the caller looks himself
 * @throws GatewayError UPSTREAM_PROTOCOL when it is not JSON, no MCP message or nested more deeply; messages before that were given
 */
export function readMessages(key: string, text: string, onMessage: MessageListener, maxDepth?: number): void {
  const value = parse(key, text);
  const members: readonly unknown[] = Array.isArray(value) ? value : [value];
  for (const member of members) {
    if (maxDepth !== undefined && isJsonObject(member) && isDeeperThan(member, maxDepth))
      throw protocolFailure(key, `answered with a message that is nested deeper than ${maxDepth} levels`);
    const message = classifyMessage(member);
    if (message.kind === "invalid") {
      const what = `answered with something that is no MCP message: ${message.reason} ${quoteUpstream(text)}`;
      throw protocolFailure(key, what);
    }
    onMessage(message);
  }
}

function parse(key: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw notJson(key, text, error);
  }
}

/** UPSTREAM_PROTOCOL, with the beginning of what came instead. */
export const notJson = (key: string, text: string, cause?: unknown): GatewayError =>
  protocolFailure(key, `answered with something that is not JSON ${quoteUpstream(text)}`, cause);

/** Whether a response is for this request. An error may come without an id, which many servers write as `null`. */
export function answers(response: JsonRpcResponse, id: RequestId): boolean {
  const answered: unknown = response.id;
  return answered === id || ("error" in response && (answered === undefined || answered === null));
}
