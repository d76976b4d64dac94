import { GatewayError } from "@cortex-os/mcp-core";
import type { ServiceMapRule } from "@cortex-os/protocol";
import { shownUrl } from "./shown-url.js";

/**
 * Why there is no new service map: a rule of the map itself, or what went wrong on its way here.
 *
 * `request`: it cannot even be asked for, as configured. `not-modified`: the publisher says that nothing changed since what we never had.
 * `circuit-open`: the publisher failed too often and is not asked at present. `state`: a good one came and could not be stored, so it is not used.
 * `no-map`: nothing was accepted so far.
 */
export type ManifestRule =
  | ServiceMapRule
  | "request"
  | "http-status"
  | "redirect"
  | "timeout"
  | "network"
  | "aborted"
  | "not-modified"
  | "circuit-open"
  | "state"
  | "no-map";

/** What a person can do about it, where the reason does not say so by itself. */
const ADVICE = {
  size: "Publish a smaller map.",
  encoding: "Publish it as UTF-8 JSON.",
  json: "Check that this is the publisher's URL, and what answers there.",
  unsigned: "Sign it.",
  "unknown-key": "Put the publisher's key into the key ring.",
  signature: "Compare the keys of publisher and gateway.",
  schema: "Mend it and sign it anew.",
  ttl: "Sign it with a shorter one.",
  future: "Set the clock that is wrong.",
  expired: "Check that the publisher still signs, and the two clocks.",
  older: "Publish a newer one, or reset the floor if the newer one was a mistake.",
  conflict: "Publish it under an id of its own.",
  request: "Mend the configuration.",
  "http-status": "Check the URL, the API key and the publisher.",
  redirect: "Configure the URL it ends at.",
  timeout: "Check the publisher and the way to it.",
  network: "Check the publisher and the way to it.",
  aborted: "There is nothing to do.",
  "not-modified": "Mend the publisher: it must send its map to whoever has another or none.",
  "circuit-open": "Check the publisher; it is tried again by itself.",
  state: "Mend the gateway's state folder or its disk.",
  "no-map": "Check the publisher; it is tried again by itself.",
} as const satisfies Record<ManifestRule, string>;

/** What else is known about a failure. */
export interface ConnectorManifestErrorOptions extends ErrorOptions {
  /** Where the map was to come from; of it the message shows origin and path. */
  readonly url?: string | undefined;
  /** What only an operator may see; it stands in the message, and holds no secret. */
  readonly detail?: string | undefined;
  /** What to do, in a sentence of its own. @default what helps with most failures of this rule */
  readonly advice?: string | undefined;
}

/**
 * There is no new service map (code `SERVICE_MAP`, whose messages clients do not see). The message tells what, where, by which rule, and what to
 * do; it holds no secret.
 */
export class ConnectorManifestError extends GatewayError {
  readonly rule: ManifestRule;
  /** What went wrong, without the URL: fit for clients. */
  readonly reason: string;

  /** @param reason what went wrong with "the service map …", with neither a secret nor a URL in it */
  constructor(
    rule: ManifestRule,
    reason: string,
    { url, detail, advice = ADVICE[rule], ...options }: ConnectorManifestErrorOptions = {},
  ) {
    const where = url === undefined ? "" : ` ${shownUrl(url)}`;
    const more = detail === undefined ? "" : `: ${withoutCode(detail, reason)}`;
    super("SERVICE_MAP", `Service map${where}: ${reason}${more} (rule: ${rule}). ${advice}`, {
      ...options,
      ...(detail === undefined ? {} : { detail }),
    });
    this.name = "ConnectorManifestError";
    this.rule = rule;
    this.reason = reason;
  }
}

/** The detail without the error code that the reason before it ends in. */
function withoutCode(detail: string, reason: string): string {
  const [, code] = /\(([A-Z][A-Z0-9_]+)\)$/.exec(reason) ?? [];
  return code === undefined ? detail : detail.replace(` ${code}`, "");
}
