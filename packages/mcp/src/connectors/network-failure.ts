import { messageOf } from "@cortex-os/mcp-core";
import { shownUrl } from "./shown-url.js";

/** How an exchange with a publisher broke. */
export interface NetworkFailure {
  readonly rule: "network" | "encoding";
  /** In words for anybody. */
  readonly reason: string;
  /** What was thrown, for operators only. */
  readonly detail: string;
}

/** How deep a chain of causes is followed: the real one is the second, mostly. */
const MAX_CAUSES = 5;

const MAX_DETAIL_CHARACTERS = 200;

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: "its host name is not known",
  EAI_AGAIN: "its host name cannot be looked up at present",
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "the connection was cut",
  EPIPE: "the connection was cut",
  UND_ERR_SOCKET: "the connection was cut",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "the connection was cut in the middle of the map",
  ETIMEDOUT: "it cannot be reached",
  EHOSTUNREACH: "it cannot be reached",
  ENETUNREACH: "it cannot be reached",
  UND_ERR_CONNECT_TIMEOUT: "it cannot be reached",
};

/**
 * What a failed exchange is called.
 *
 * @param secrets what must not show up in the words of whatever was thrown
 */
export function networkFailure(thrown: unknown, serviceMapUrl: string, secrets: readonly string[]): NetworkFailure {
  const chain = causesOf(thrown);
  const code = chain.map(codeOf).find((found) => found !== undefined);
  const detail = shownText(messageOf(chain.at(-1)), serviceMapUrl, secrets);
  // zlib's codes, and brotli's.
  if (code !== undefined && /^(?:Z|ERR_+(?:ERROR|PADDING|BROTLI))_/.test(code)) {
    return { rule: "encoding", reason: `the body cannot be decompressed (${code})`, detail };
  }
  if (code === undefined) return { rule: "network", reason: "the exchange failed", detail };
  const certificate = /CERT|TLS|SSL|SIGNATURE|ISSUER/.test(code);
  const reason = REASONS[code] ?? (certificate ? "its certificate is refused" : "the exchange failed");
  return { rule: "network", reason: `${reason} (${code})`, detail };
}

function causesOf(thrown: unknown): readonly unknown[] {
  const chain = [thrown];
  for (let at = thrown; at instanceof Error && at.cause !== undefined && chain.length < MAX_CAUSES; at = at.cause) {
    chain.push(at.cause);
  }
  return chain;
}

function codeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !("code" in thrown) || typeof thrown.code !== "string") return undefined;
  return /^[A-Z][A-Z0-9_]{1,60}$/.test(thrown.code) ? thrown.code : undefined;
}

/**
 * A foreign text without the URL's hidden parts, without secrets and control characters, and short: for operators only, all the same.
 *
 * @param secrets what must not show up in it
 */
export function shownText(text: string, serviceMapUrl: string, secrets: readonly string[]): string {
  const { href, username, password, search, hash, searchParams } = new URL(serviceMapUrl);
  const shown = [href, serviceMapUrl].reduce((all, url) => all.replaceAll(url, shownUrl(serviceMapUrl)), text);
  const hidden = [...secrets, username, password, search, hash, ...searchParams.values()].filter((part) => part !== "");
  const masked = hidden
    .toSorted((a, b) => b.length - a.length)
    .reduce((all, part) => all.replaceAll(part, "***"), shown);
  return masked.replaceAll(/[\p{Cc}\p{Cf}]+/gu, " ").slice(0, MAX_DETAIL_CHARACTERS);
}
