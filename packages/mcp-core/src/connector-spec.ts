import { createHash } from "node:crypto";

/** Bounds on waiting for a connector, in milliseconds (design.md, contracts: Timeouts). */
export interface ConnectorTimeouts {
  /** To open a connection and learn what the upstream speaks. @default 5_000 */
  readonly connectMs: number;
  /** For one page of a list. @default 30_000 */
  readonly listMs: number;
  /** For a call without progress. @default 300_000 */
  readonly callMs: number;
  /** For a call altogether, however much progress it reports. @default 3_600_000 */
  readonly callMaxMs: number;
  /** For a child process from spawn to its first answer. @default 60_000 */
  readonly startMs: number;
}

/** {@link ConnectorTimeouts}' defaults. */
export const DEFAULT_TIMEOUTS: ConnectorTimeouts = {
  connectMs: 5_000,
  listMs: 30_000,
  callMs: 300_000,
  callMaxMs: 3_600_000,
  startMs: 60_000,
};

/** Who shares a child process or an upstream session (design.md, decision 6). */
export type Isolation = "shared" | "principal" | "session";

/** How the child processes of a connector over stdio live. */
export interface ChildrenPolicy {
  /** Whether they start with the gateway, or when something is asked of them that cannot be answered without. */
  readonly start: "eager" | "onDemand";
  /** After how long without a request they are stopped, in milliseconds, to be started again by the next one; 0: never. */
  readonly idleMs: number;
}

/** How the gateway gets itself authorised at an upstream, beyond what the upstream says itself. From local configuration only; holds no secret. */
export interface OAuthSettings {
  /** How tokens are had: with a person's consent, or with the client's own credentials. @default "authorization_code" */
  readonly grant?: "authorization_code" | "client_credentials";
  /** A client that was registered by hand. */
  readonly clientId?: string;
  /** The environment variable that holds its secret. */
  readonly clientSecretEnv?: string;
  /** The file that holds its secret, absolute. */
  readonly clientSecretFile?: string;
  /** An https URL that is the client's id where the authorization server knows such (Client ID Metadata Documents). */
  readonly clientMetadataUrl?: string;
  /** What is asked for when the upstream does not say what it needs. */
  readonly scopes?: readonly string[];
  /** The only authorization server that may be used, by its issuer. @default the one that the upstream names */
  readonly issuer?: string;
  /** The port of the loopback address to which a browser comes back. @default any free one */
  readonly callbackPort?: number;
}

/** How an upstream is reached. `unsupported` is kept and shown as down with its reason. */
export type ConnectorTransport =
  | {
      readonly kind: "http";
      readonly url: string;
      /** Sent with every request; values are secrets. */
      readonly headers: Readonly<Record<string, string>>;
      /** Refuses to connect to an address that is not public, whatever the host's name resolves to: what came over HTTP names it. @default false */
      readonly publicOnly?: boolean;
      /** Only the old HTTP+SSE transport (2024-11-05) is spoken; absent, what the server speaks is found out, that transport included. */
      readonly sse?: true;
      /** `false` when a 401 is never answered with OAuth. Headers that hold `authorization` win over it. */
      readonly oauth?: OAuthSettings | false;
    }
  | {
      readonly kind: "stdio";
      readonly command: string;
      readonly args: readonly string[];
      /** Added to a minimal environment; values are secrets. */
      readonly env: Readonly<Record<string, string>>;
      readonly cwd?: string;
    }
  | { readonly kind: "unsupported"; readonly reason: string };

/** Where a connector was named. */
export type ConnectorOrigin = "registry" | "map";

/** One connector as every source describes it: the only shape the reconciler knows. */
export interface ConnectorSpec {
  /** Unique among all connectors; the prefix of its tools. See `isConnectorKey`. */
  readonly key: string;
  readonly source: ConnectorOrigin;
  /** What the source says is deployed there; another one means reconnecting. */
  readonly version?: string;
  readonly transport: ConnectorTransport;
  readonly disabled: boolean;
  readonly timeouts: ConnectorTimeouts;
  readonly isolation: Isolation;
  /** What of its children's life is not as it is for all connectors. */
  readonly children?: Partial<ChildrenPolicy>;
}

/**
 * A digest of all that makes a reconnect necessary when it changes. Two specs with one fingerprint are the same connector.
 * It is a hash, so that it can be logged and compared without showing headers or environment.
 */
export function specFingerprint(spec: ConnectorSpec): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(spec)))
    .digest("hex");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, member]) => [key, sorted(member)]);
}
