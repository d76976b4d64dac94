import type { ParsedBody } from "./body.js";

/** What came in so far. */
export interface RequestCounts {
  /** HTTP requests of any kind, refused ones too. */
  readonly total: number;
  /** By HTTP method. */
  readonly http: Readonly<Record<"GET" | "POST" | "DELETE" | "other", number>>;
  /** How many JSON-RPC requests and notifications of `method` came in. */
  method(method: string): number;
}

/** Methods nobody has heard of would let the counters grow without end: they share one. */
const MAX_METHODS = 64;
const REST = "(rest)";

/** Counts what came in. */
export class RequestCounters implements RequestCounts {
  readonly http = { GET: 0, POST: 0, DELETE: 0, other: 0 };
  readonly #methods = new Map<string, number>();

  get total(): number {
    const { GET, POST, DELETE, other } = this.http;
    return GET + POST + DELETE + other;
  }

  method(method: string): number {
    return this.#methods.get(method) ?? 0;
  }

  count(httpMethod: string | undefined): void {
    if (httpMethod === "POST" || httpMethod === "GET" || httpMethod === "DELETE") this.http[httpMethod] += 1;
    else this.http.other += 1;
  }

  countMessage(message: ParsedBody): void {
    if (message.kind !== "request" && message.kind !== "notification") return;
    const { method } = message.message;
    const key = this.#methods.has(method) || this.#methods.size < MAX_METHODS ? method : REST;
    this.#methods.set(key, this.method(key) + 1);
  }
}
