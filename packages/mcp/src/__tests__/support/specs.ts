import { DEFAULT_TIMEOUTS, type ConnectorSpec } from "@cortex-os/mcp-core";

/** A spec that differs from another in what is given. */
export function specOf(key: string, overrides: Partial<ConnectorSpec> = {}): ConnectorSpec {
  return {
    key,
    source: "registry",
    transport: { kind: "http", url: `http://127.0.0.1:9/${key}`, headers: {} },
    disabled: false,
    timeouts: DEFAULT_TIMEOUTS,
    isolation: "shared",
    ...overrides,
  };
}
