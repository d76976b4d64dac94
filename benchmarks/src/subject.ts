import type { Era } from "@cortex-os/mcp-core/wire";
import type { Servers } from "./server-process.js";

/** What stands behind a subject: a server at a URL, or a program that it starts itself, with Node. */
export type Upstream =
  | { readonly kind: "http"; readonly url: string }
  | { readonly kind: "stdio"; readonly args: readonly string[] };

/** Where a subject is put. */
export interface Place {
  readonly servers: Servers;
  /** The era of the load and of the upstream. */
  readonly era: Era;
  readonly upstream: Upstream;
}

/** A subject that was started. */
export interface Endpoint {
  readonly url: string;
  /** Its process; absent where nothing stands in between. */
  readonly pid?: number;
  /** What it puts before the names of the upstream's tools. */
  readonly prefix: string;
}

/** Something that can stand between the load and an upstream. */
export interface Subject {
  readonly name: string;
  /** What it does with a call, and what it does not: without it no figure beside another one is fair. */
  readonly does: string;
  /** Whether it is somebody else's program: if it fails, the others are measured nevertheless. */
  readonly isForeign: boolean;
  readonly upstreams: readonly Upstream["kind"][];
  readonly eras: readonly Era[];
  /** @throws Error when it cannot run here */
  readonly start: (place: Place) => Promise<Endpoint>;
}
