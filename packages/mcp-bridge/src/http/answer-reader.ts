import { GatewayError } from "@cortex-os/mcp-core";
import { classifyMessage, SseParser, type ClassifiedMessage } from "@cortex-os/mcp-core/wire";
import { protocolFailure, quoteUpstream, tooLargeFailure } from "./failures.js";

/** The two ways in which MCP over HTTP answers. */
export type AnswerForm = "json" | "sse";

/** Which form a `content-type` announces, or `undefined` when MCP knows none such. */
export function answerForm(contentType: string | undefined): AnswerForm | undefined {
  const type = contentType?.split(";", 1)[0]?.trim().toLowerCase();
  if (type === "application/json") return "json";
  return type === "text/event-stream" ? "sse" : undefined;
}

/** Reads the messages out of one HTTP answer, whichever form it has. */
export interface AnswerReader {
  /** @throws GatewayError UPSTREAM_LIMIT or UPSTREAM_PROTOCOL; the answer cannot be read any further */
  push(chunk: Uint8Array): void;
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
  const chunks: Uint8Array[] = [];
  let size = 0;
  return {
    push(chunk) {
      size += chunk.length;
      if (size > maxBytes) throw tooLargeFailure(key, maxBytes);
      chunks.push(chunk);
    },
    end() {
      const text = Buffer.concat(chunks).toString("utf8");
      for (const value of batchOf(parse(key, text))) emit(key, value, text, onMessage);
    },
  };
}

function sseReader(key: string, maxBytes: number, onMessage: MessageListener): AnswerReader {
  const parser = new SseParser(({ event, data }) => {
    // An event without data primes a client to resume (2025-11-25, transports); one of another type is not MCP's.
    if (data === "" || event !== "message") return;
    for (const value of batchOf(parse(key, data))) emit(key, value, data, onMessage);
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

function parse(key: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw protocolFailure(key, `answered with something that is not JSON ${quoteUpstream(text)}`, error);
  }
}

/** Revision 2025-03-26 allowed several messages in one array. */
const batchOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

function emit(key: string, value: unknown, text: string, onMessage: MessageListener): void {
  const message = classifyMessage(value);
  if (message.kind === "invalid") {
    throw protocolFailure(
      key,
      `answered with something that is no MCP message: ${message.reason} ${quoteUpstream(text)}`,
    );
  }
  onMessage(message);
}
