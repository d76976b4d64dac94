import type { ConnectorOrigin, ConnectorSpec } from "@cortex-os/mcp-core";

/**
 * Takes the connectors a source names now: all of them, each time. With `problem` the source cannot be read at present and these are what it named
 * last, if anything: why, in words that a client may see (no paths, no secrets).
 */
export type SpecsListener = (specs: readonly ConnectorSpec[], problem?: string) => void;

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
  /** Idempotent; nothing is told afterwards. */
  close(): Promise<void>;
}
