import type { SurfaceGateway } from "../support/surface-gateway.js";
import type { ClientKind, MatrixClient } from "./matrix-client.js";
import type { UpstreamKind } from "./matrix-upstreams.js";
import type { Reason } from "./reasons.js";
import type { SharedChanges } from "./shared-changes.js";

/** A client in front of the gateway. */
export interface GatewayTrial {
  readonly kind: ClientKind;
  readonly client: MatrixClient;
  readonly gateway: SurfaceGateway;
}

/** A client in front of a connector. */
export interface Trial extends GatewayTrial {
  /** Which of the clients it is, from 0. */
  readonly index: number;
  readonly upstream: UpstreamKind;
  readonly changes: SharedChanges;
  /** Whether the client speaks to this connector alone, at `/mcp/-/<key>`. */
  readonly isAlone: boolean;
}

/** Entries a page of the gateway's own lists: small, so that lists have several. */
export const PAGE_SIZE = 60;

/** One row of a table: one thing that a client may want, of the gateway itself or of a connector. */
export interface Operation<T extends GatewayTrial = Trial> {
  /** As the table calls it. */
  readonly title: string;
  /** Whether nobody else's call may be under way at a server that all clients share. @default false */
  readonly needsQuiet?: boolean;
  /** Why it cannot work, by the specification. @default it works */
  readonly refusal?: (trial: T) => Reason | undefined;
  /** What is different although it works. @default nothing */
  readonly note?: (trial: T) => Reason | undefined;
  /** Throws unless it works: seen by what happens, not by the absence of an error. */
  works(trial: T): Promise<void>;
  /** Throws unless it is refused in the very way that {@link refusal} says. */
  refused?(trial: T): Promise<void>;
}

/** The name of a tool or prompt of the upstream, as the client calls it. */
export const named = ({ upstream, isAlone }: Trial, own: string): string => (isAlone ? own : `${upstream.key}__${own}`);

/** The URI of a resource of the upstream. */
export const uriOf = ({ upstream }: Trial, path: string): string => `fixture://${upstream.key}/${path}`;

/** How often the client has heard this. */
export const timesHeard = ({ heard }: Pick<MatrixClient, "heard">, method: string): number =>
  heard.filter((each) => each.method === method).length;

/** The status of an answer that is expected: `undefined` where there are none. */
export const statusOf = (trial: GatewayTrial, modern: number, legacy = 200): number | undefined => {
  if (trial.kind.transport !== "HTTP") return undefined;
  return trial.kind.era === "modern" ? modern : legacy;
};
