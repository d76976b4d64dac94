import type { Clock, Timers } from "@cortex-os/mcp-core";
import type { LegacyRevision } from "./legacy-revisions.js";

/** What a server offers besides tools. */
export interface FixtureFeatures {
  /** @default true */
  readonly resources?: boolean;
  /** @default true */
  readonly prompts?: boolean;
  /** @default true */
  readonly completions?: boolean;
  /** @default true */
  readonly logging?: boolean;
}

/** Options that mean the same over every transport. */
export interface FixtureServerOptions {
  /** The server's name in `serverInfo`, and the authority of its resources' URIs. @default "cortex-fixture" */
  readonly name?: string;
  /** What to offer besides tools: everything, but for what is `false` here. */
  readonly features?: FixtureFeatures;
  /** How many generated tools to offer besides the built-in ones. @default 0 */
  readonly extraTools?: number;
  /** How many generated resources to offer besides the built-in ones. @default 0 */
  readonly extraResources?: number;
  /** Whether to offer `fixture://common/shared`, which other servers may offer as well. @default false */
  readonly commonResources?: boolean;
  /** Milliseconds to wait before any request is answered. @default 0 */
  readonly delayMs?: number;
  /** Milliseconds to wait, besides those, before `tools/list` is answered. @default 0 */
  readonly listDelayMs?: number;
  /** `ttlMs` of modern lists, reads and `server/discover`. @default 60_000 */
  readonly ttlMs?: number;
  /** Entries a page of any list. @default 1_000 */
  readonly pageSize?: number;
  /**
   * Whether to offer what the official conformance suite asks for by name, too. Over HTTP the streams of clients of 2025-11-25 are
   * resumable then. @default false
   */
  readonly conformance?: boolean;
  /** Whether to offer tools whose `x-mcp-header` breaks the rules, too. @default false */
  readonly invalidHeaders?: boolean;
  /** The newest legacy revision to speak. @default the newest there is */
  readonly revision?: LegacyRevision;
  /** Ends the process; with it there is a tool `crash`. @default none */
  readonly exit?: () => void;
  /** @default Node's timers */
  readonly timers?: Timers;
  /** Tells when a `requestState` expires. @default the machine's clock */
  readonly clock?: Clock;
}
