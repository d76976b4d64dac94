import { WIRE_CODE } from "@cortex-os/mcp-core";
import { classifyMessage, type JsonRpcError, type JsonRpcResponse, type RequestId } from "@cortex-os/mcp-core/wire";
import type { AnswerHead } from "./answer-head.js";
import { answers } from "./answer-reader.js";
import { HeldBytes } from "./held-bytes.js";

/** Most bytes of a refusal that are read; what is longer is no JSON-RPC error. */
const MAX_BYTES = 256 * 1024;
/** What servers say when they do not know the session any more. */
const SPEAKS_OF_SESSION = /session|not initialized/i;
const SERVER_ERROR = -32_000;
/** Codes that servers put on it, beside {@link SERVER_ERROR}, which stands for anything. */
const SESSION_CODES: ReadonlySet<number> = new Set([-32_001, -32_600]);

/** Statuses with which a server may refuse a request of another era. */
const DOUBTS_ERA: ReadonlySet<number> = new Set([400, 404, 405, 406, 415]);

/** Whether a server may have refused because it speaks another era than we think. */
export const doubtsEra = (status: number): boolean => DOUBTS_ERA.has(status);

/** Whether a modern upstream misses a header that mirrors an argument, or was told another value by it: its tool has changed (2026-07-28, Client Behavior). */
export const missesHeader = (response: JsonRpcResponse): boolean =>
  "error" in response && response.error.code === WIRE_CODE.HEADER_MISMATCH;

/** A response whose status is no success. */
export class Refusal {
  readonly head: AnswerHead;
  readonly #body: HeldBytes;

  constructor(key: string, head: AnswerHead) {
    this.head = head;
    this.#body = new HeldBytes(key, MAX_BYTES);
  }

  get status(): number {
    return this.head.status;
  }

  /** Everything that came. */
  get body(): Buffer {
    return this.#body.from(0);
  }

  /** @returns false when there is more of it than is worth reading */
  push(chunk: Buffer): boolean {
    if (this.#body.length + chunk.length > MAX_BYTES) return false;
    this.#body.push(chunk);
    return true;
  }

  /** The JSON-RPC error in it, if it is one for this request. What 401 and 403 mean is said by HTTP, not by a body. */
  errorFor(id: RequestId): JsonRpcError | undefined {
    if (this.status < 400 || this.status === 401 || this.status === 403) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(this.body.toString("utf8"));
    } catch {
      return undefined;
    }
    const classified = classifyMessage(value);
    if (classified.kind !== "response" || !("error" in classified.message)) return undefined;
    return answers(classified.message, id) ? classified.message : undefined;
  }
}

/**
 * Whether an upstream says that it does not know the session, which means that it did not carry the request out: only then is a
 * call sent twice. 2025-11-25 asks for a 404, which also means "unknown tool" when a JSON-RPC error says so; older servers say 400.
 *
 * @param error the JSON-RPC error for the request that the refusal holds
 */
export function isSessionLoss(status: number, text: string, error: JsonRpcError | undefined): boolean {
  if (status !== 404 && status !== 400) return false;
  if (error === undefined) return status === 404 || SPEAKS_OF_SESSION.test(text);
  const { code, message } = error.error;
  if (!SPEAKS_OF_SESSION.test(message)) return false;
  // An answer of the server's own bears the request's id; a refusal of the transport, which reads no ids, bears none.
  const hasId = typeof error.id === "string" || typeof error.id === "number";
  return SESSION_CODES.has(code) || (code === SERVER_ERROR && !hasId);
}
