import type { Era, JsonObject } from "@cortex-os/mcp-core/wire";
import type { LogLevel } from "./log-level.js";

/** Request headers as Node gives them: names in lower case. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Who sent a request, as far as the protocol tells: from its `_meta` (modern) or from `initialize` (legacy). */
export interface Caller {
  readonly era: Era;
  readonly protocolVersion: string;
  /** `undefined` when the client did not say, or said it in a session this request does not belong to. */
  readonly clientInfo: JsonObject | undefined;
  readonly clientCapabilities: JsonObject;
  /** Whether the request belongs to a legacy session: always `false` in the modern era and on a sessionless server. */
  readonly session: boolean;
  /** The mildest severity the client asked to be told; `undefined`: none. */
  readonly logLevel: LogLevel | undefined;
  /** Empty on stdio. */
  readonly headers: Headers;
}
