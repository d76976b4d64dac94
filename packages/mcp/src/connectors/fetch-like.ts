import type { Dispatcher } from "undici";

/** How long a fetch of the service map may take when nothing else is said, in milliseconds (R3). */
export const DEFAULT_FETCH_MS = 5_000;

/** What a {@link FetchLike} is called with. */
export interface FetchLikeInit {
  readonly headers: Readonly<Record<string, string>>;
  /** A redirect is an answer, not an order: following it would carry the credential elsewhere. */
  readonly redirect: "manual";
  readonly signal: AbortSignal;
}

/** As much of a `Response` as a service map needs: of `body`, `text` and `json` the first that is there is used. */
export interface FetchLikeResponse {
  readonly status?: number;
  readonly ok?: boolean;
  readonly type?: string;
  readonly redirected?: boolean;
  readonly headers?: { get?(name: string): string | null | undefined };
  /** A web stream, or anything that is iterated for bytes or text. */
  readonly body?: unknown;
  text?(): Promise<string>;
  json?(): Promise<unknown>;
}

/** `fetch`, or what stands in for it. */
export type FetchLike = (url: string, init: FetchLikeInit) => Promise<FetchLikeResponse>;

/**
 * The `fetch` to use: the caller's own, or undici's where there is an agent of undici's (Node's built-in `fetch` is another version of it and must
 * not be handed one), or the global one as it is at the time of the call.
 */
export function fetchOf(fetchImpl: FetchLike | undefined, agent: Dispatcher | undefined): FetchLike {
  if (fetchImpl !== undefined) return fetchImpl;
  if (agent !== undefined) {
    return async (url, init) => {
      // Half of undici is there for this, and most programs never need it.
      const { fetch } = await import("undici");
      return fetch(url, { ...init, dispatcher: agent });
    };
  }
  return async (url, init) => globalThis.fetch(url, init);
}

/** A header of an answer, trimmed; `undefined` when it is absent or empty. */
export function headerOf(response: FetchLikeResponse, name: string): string | undefined {
  const value = response.headers?.get?.(name)?.trim();
  return value === "" ? undefined : value;
}

/** The status of an answer; one that gives only `ok` is 200 or 500. */
export function statusOf({ status, ok }: FetchLikeResponse): number {
  return status ?? (ok === true ? 200 : 500);
}
