import type { IncomingMessage } from "node:http";

/** Why a body was not read to its end. */
export type BodyFailure = "too-large" | "broken";

/**
 * Reads a request's body, never holding more than `maxBytes`. Calls back exactly once. (Callbacks, not promises: this is on the way of every call.)
 */
export function readBody(
  request: IncomingMessage,
  maxBytes: number,
  done: (failure: BodyFailure | undefined, body: Buffer) => void,
): void {
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > maxBytes) {
    done("too-large", Buffer.alloc(0));
    return;
  }
  let first: Buffer | undefined;
  let rest: Buffer[] | undefined;
  let length = 0;
  let finished = false;
  const finish = (failure: BodyFailure | undefined): void => {
    if (finished) return;
    finished = true;
    const body = failure === undefined ? joined(first, rest, length) : Buffer.alloc(0);
    done(failure, body);
  };
  request.on("data", (chunk: Buffer) => {
    if (finished) return;
    length += chunk.length;
    if (length > maxBytes) finish("too-large");
    else if (first === undefined) first = chunk;
    else (rest ??= []).push(chunk);
  });
  request.on("end", () => {
    finish(undefined);
  });
  // Also after an error: a request whose errors nobody listens to tells only that it is over.
  request.on("close", () => {
    finish("broken");
  });
}

function joined(first: Buffer | undefined, rest: readonly Buffer[] | undefined, length: number): Buffer {
  if (first === undefined) return Buffer.alloc(0);
  return rest === undefined ? first : Buffer.concat([first, ...rest], length);
}
