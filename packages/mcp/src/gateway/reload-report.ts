import type { Connector } from "../connectors/connector.js";

/** What a configuration that was read again changed. */
export interface ConfigurationChange {
  /** The settings that are in force now and were not before, by their names. */
  readonly changed: readonly string[];
  /** The settings that differ from what is in force until the gateway is restarted. */
  readonly needRestart: readonly string[];
}

/** The configuration of a running gateway, in the hands of the program that runs it. */
export interface ReloadableConfiguration {
  /**
   * Reads it again and puts in force what can be.
   * @throws GatewayError USER_INPUT when it is refused; everything is then as it was
   */
  reload(): Promise<ConfigurationChange>;
}

/** What reading everything again changed; keys are sorted. */
export interface ReloadReport {
  readonly configuration: ConfigurationChange;
  readonly connectors: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    /** Replaced, because their configuration changed. */
    readonly changed: readonly string[];
    readonly unchanged: readonly string[];
  };
  /** Tools in the catalog, before and after. */
  readonly tools: { readonly before: number; readonly after: number };
  /** What cannot be read at present. */
  readonly problems: readonly string[];
}

/** What a gateway has at one moment. */
export interface Inventory {
  /** Sorted by key. */
  readonly connectors: readonly Connector[];
  readonly tools: number;
}

/** Tells one moment from another: a connector that was changed is another object. */
export function reloadReport(
  before: Inventory,
  after: Inventory,
  rest: Pick<ReloadReport, "configuration" | "problems">,
): ReloadReport {
  const earlier = new Map(before.connectors.map((connector) => [connector.key, connector]));
  const later = new Set(after.connectors.map(({ key }) => key));
  const keysOf = (connectors: readonly Connector[]): string[] => connectors.map(({ key }) => key);
  return {
    configuration: rest.configuration,
    connectors: {
      added: keysOf(after.connectors.filter(({ key }) => !earlier.has(key))),
      removed: keysOf(before.connectors.filter(({ key }) => !later.has(key))),
      changed: keysOf(
        after.connectors.filter((connector) => ![undefined, connector].includes(earlier.get(connector.key))),
      ),
      unchanged: keysOf(after.connectors.filter((connector) => earlier.get(connector.key) === connector)),
    },
    tools: { before: before.tools, after: after.tools },
    problems: rest.problems,
  };
}
