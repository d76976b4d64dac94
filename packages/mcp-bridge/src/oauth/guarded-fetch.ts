import type { Timers } from "@cortex-os/mcp-core";
import type { FetchLike } from "@modelcontextprotocol/client";
import { Agent, type Dispatcher } from "undici";
import { publicOnlyLookup } from "../address/public-only-lookup.js";
import { reasonOf, UnauthorizedError } from "../http/failures.js";
import { withinTime } from "../http/time-limit.js";
import { judgeUrl, type TrustedPlaces } from "./address-rules.js";

/** How long an authorization server may take to answer, in milliseconds. */
const ANSWER_MS = 10_000;
/** Longest document or token answer that is read, in bytes. */
const MAX_BYTES = 1024 * 1024;

/** What {@link GuardedFetch} works with. */
export interface GuardedFetchDeps extends TrustedPlaces {
  readonly key: string;
  readonly timers: Timers;
}

/**
 * `fetch` for metadata and tokens: asks only where {@link judgeUrl} lets it, follows no redirect by itself, reads no more than 1 MiB in no more than 10 s. Has sockets
 * of its own, which {@link close} gives back.
 */
export class GuardedFetch {
  readonly #deps: GuardedFetchDeps;
  readonly #open = new Agent();
  readonly #publicOnly = new Agent({ connect: { lookup: publicOnlyLookup() } });

  constructor(deps: GuardedFetchDeps) {
    this.#deps = deps;
  }

  /** @throws GatewayError UPSTREAM_UNAVAILABLE when the address may not be asked, or does not answer */
  readonly fetch: FetchLike = async (address, init) => {
    const { key, timers } = this.#deps;
    const url = new URL(address);
    const verdict = judgeUrl(url, this.#deps);
    if (!verdict.ok)
      throw new UnauthorizedError(key, `names ${shown(url)} for its authorization, which ${verdict.reason}`);
    const dispatcher = verdict.publicOnly ? this.#publicOnly : this.#open;
    const expired = () => new UnauthorizedError(key, `is authorised at ${shown(url)}, which did not answer in time`);
    return withinTime(timers, ANSWER_MS, expired, [], async (signal) => {
      try {
        return await asked(dispatcher, url, init ?? {}, signal);
      } catch (error) {
        if (signal.aborted) throw expired();
        const why = error instanceof TooLongError ? "said too much" : `did not answer: ${reasonOf(error)}`;
        throw new UnauthorizedError(key, `is authorised at ${shown(url)}, which ${why}`, { cause: error });
      }
    });
  };

  async close(): Promise<void> {
    await Promise.all([this.#open.destroy(), this.#publicOnly.destroy()]);
  }
}

class TooLongError extends Error {}

async function asked(dispatcher: Dispatcher, url: URL, init: RequestInit, signal: AbortSignal): Promise<Response> {
  const headers = new Headers(init.headers);
  const {
    statusCode,
    headers: answered,
    body,
  } = await dispatcher.request({
    origin: url.origin,
    path: url.pathname + url.search,
    method: init.method === "POST" ? "POST" : "GET",
    headers: Object.fromEntries(headers),
    body: bodyOf(init.body),
    signal,
  });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new TooLongError();
    chunks.push(chunk);
  }
  const given = new Headers();
  for (const name of ["content-type", "location"]) {
    const value = answered[name];
    if (typeof value === "string") given.set(name, value);
  }
  // A response of these statuses has no body, whatever was sent.
  const isEmpty = statusCode === 204 || statusCode === 205 || statusCode === 304;
  return new Response(isEmpty ? null : Buffer.concat(chunks).toString("utf8"), { status: statusCode, headers: given });
}

/** The SDK sends forms and JSON texts, nothing else. */
function bodyOf(body: RequestInit["body"]): string | null {
  if (body instanceof URLSearchParams) return body.toString();
  return typeof body === "string" ? body : null;
}

/** Without query: it is for people. */
const shown = (url: URL): string => JSON.stringify(url.origin + url.pathname);
