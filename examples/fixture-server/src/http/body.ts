import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { classifyMessage, type ClassifiedMessage } from "@cortex-os/mcp-core/wire";

/**
 * Reads the whole body.
 * @returns `undefined` when it is longer than `maxBytes`; the rest is left unread then
 * @throws Error when the client breaks off
 */
export async function readBody(req: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  return await new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    req.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxBytes) {
        req.removeAllListeners("data").pause();
        resolve(undefined);
      } else chunks.push(chunk);
    });
    req.on("end", () => {
      const [first] = chunks;
      resolve(chunks.length === 1 ? first : Buffer.concat(chunks));
    });
    req.on("error", reject);
  });
}

/** What a body turned out to be; `unreadable` is none that JSON can read. */
export type ParsedBody = ClassifiedMessage | { readonly kind: "unreadable" };

/** A body that is one message. */
export type ReadableMessage = Exclude<ParsedBody, { readonly kind: "unreadable" | "invalid" }>;

/** Reads one JSON-RPC message. Never throws. */
export function parseMessage(body: Buffer): ParsedBody {
  if (!isUtf8(body)) return { kind: "unreadable" };
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return classifyMessage(value);
  } catch {
    return { kind: "unreadable" };
  }
}
