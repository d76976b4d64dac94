import type { ConnectorOrigin, ConnectorSpec } from "@cortex-os/mcp-core";

/** Takes the connectors a source names now: all of them, each time. */
export type SpecsListener = (specs: readonly ConnectorSpec[]) => void;

/** A place that names connectors; the registry and the service map are the two there are. */
export interface ConnectorSource {
  readonly origin: ConnectorOrigin;
  /**
   * Reads for the first time, tells `listener`, and goes on telling it of every change until closed. A source that cannot be read now says so in
   * the log, tells an empty list, and tells the rest when it can.
   */
  start(listener: SpecsListener): Promise<void>;
  /** Reads again now, and tells the listener. */
  reload(): Promise<void>;
  /** Idempotent; nothing is told afterwards. */
  close(): Promise<void>;
}
