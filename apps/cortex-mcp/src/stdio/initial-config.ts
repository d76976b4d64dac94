import { loadConfig, type ConfigSources } from "../config/load.js";
import { ConfigSchema, type Config } from "../config/schema.js";

/** The configuration with which a process of `cortex-mcp stdio` starts. */
export interface InitialConfig {
  /** The defaults when it was refused. */
  readonly config: Config;
  /** Why it was refused: a gateway must not begin so, a relay can do without. */
  readonly refusal?: unknown;
}

/** Reads the configuration. Never throws: who has a running gateway needs none. */
export async function initialConfig(sources: ConfigSources): Promise<InitialConfig> {
  try {
    return { config: await loadConfig(sources) };
  } catch (error) {
    return { config: ConfigSchema.parse({}), refusal: error };
  }
}
