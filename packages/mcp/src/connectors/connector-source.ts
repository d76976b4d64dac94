import type { ConnectorOrigin, ConnectorSpec } from "@cortex-os/mcp-core";

/** What a source says beside the connectors it names. */
export interface SourceState {
  /** The source cannot be read at present, and the connectors are those it named last, if any: why, in words that a client may see (no paths, no secrets). */
  readonly problem?: string;
  /** More is on its way soon (a first fetch is under way): lists wait for it as they wait for a connector that is connecting. @default false */
  readonly settling?: boolean;
}

/** Takes the connectors a source names now: all of them, each time. */
export type SpecsListener = (specs: readonly ConnectorSpec[], state?: SourceState) => void;

/** A place that names connectors; the registry and the service map are the two there are. */
export interface ConnectorSource {
  readonly origin: ConnectorOrigin;
  /**
   * Reads for the first time, tells `listener`, and goes on telling it of every change until closed. A source that cannot be read now says so in
   * the log and to the listener, and tells the rest when it can.
   */
  start(listener: SpecsListener): Promise<void>;
  /** Reads again now, and tells the listener. */
  reload(): Promise<void>;
  /**
   * Asked before a list is served: a source that is read on demand only returns a promise that resolves when it is fresh, or could not be made so.
   * @returns `undefined` when there is nothing to wait for
   */
  freshen?(): Promise<void> | undefined;
  /** Idempotent; nothing is told afterwards. */
  close(): Promise<void>;
}
