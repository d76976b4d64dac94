import type { FetchLikeResponse } from "./fetch-like.js";

interface Chunks {
  next(): Promise<{ readonly done?: boolean | undefined; readonly value?: unknown }>;
  /** Ends the reading, also while `next` waits; the rest is never read. */
  stop(): void;
}

/**
 * The body of an answer, decoded. Reading stops as soon as it is too large or `signal` fires; the stream is then cancelled, whether or not it
 * heeds the signal by itself.
 *
 * @returns `undefined` when the body has more than `maxBytes` bytes
 * @throws what the stream fails with, or the signal's reason
 */
export async function readBounded(
  response: FetchLikeResponse,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  const chunks = chunksOf(response.body);
  const body = chunks === undefined ? await wholeBody(response) : await joined(chunks, maxBytes, signal);
  signal.throwIfAborted();
  return body !== undefined && body.length <= maxBytes ? body : undefined;
}

/** Ends an answer whose body nobody wants. */
export function discard(response: FetchLikeResponse): void {
  chunksOf(response.body)?.stop();
}

async function joined(chunks: Chunks, maxBytes: number, signal: AbortSignal): Promise<Buffer | undefined> {
  const stop = (): void => {
    chunks.stop();
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    const parts: Buffer[] = [];
    let length = 0;
    for (;;) {
      const { done, value } = await chunks.next();
      signal.throwIfAborted();
      if (done === true) return Buffer.concat(parts);
      const part = bytesOf(value);
      length += part.length;
      if (length > maxBytes) return undefined;
      parts.push(part);
    }
  } finally {
    signal.removeEventListener("abort", stop);
    chunks.stop();
  }
}

/** For answers that are no streams: those of tests and of other libraries. */
async function wholeBody(response: FetchLikeResponse): Promise<Buffer> {
  if (response.text !== undefined) return Buffer.from(await response.text());
  if (response.json !== undefined) return Buffer.from(JSON.stringify(await response.json()) ?? "");
  return Buffer.alloc(0);
}

function bytesOf(chunk: unknown): Buffer {
  if (typeof chunk === "string") return Buffer.from(chunk);
  if (chunk instanceof Uint8Array) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  throw new TypeError("the body is neither bytes nor text");
}

function chunksOf(body: unknown): Chunks | undefined {
  if (isWebStream(body)) {
    const reader = body.getReader();
    // Cancelling a stream that broke rejects with what the read fails with already.
    return { next: async () => reader.read(), stop: () => void reader.cancel().catch(() => {}) };
  }
  if (isIterable(body)) {
    const iterator = body[Symbol.asyncIterator]();
    return {
      next: async () => iterator.next(),
      stop: () => {
        body.destroy?.();
        void iterator.return?.().catch(() => {});
      },
    };
  }
  return undefined;
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

const isWebStream = (value: unknown): value is ReadableStream<unknown> => isObject(value) && "getReader" in value;

const isIterable = (value: unknown): value is AsyncIterable<unknown> & { destroy?(): void } =>
  isObject(value) && Symbol.asyncIterator in value;
