import { BRAND, LONGEST_DELAY_MS, type Logger } from "@cortex-os/mcp-core";

/** How connectors are kept fresh (R7). */
export interface ConnectorFeatureFlags {
  /** Whether the service map is refreshed in the background; `false`: when somebody asks, and only then (the rollback switch). */
  readonly asyncRefresh: boolean;
  /** From one refresh in the background to the next, in milliseconds, before jitter. */
  readonly refreshIntervalMs: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

const SYNC = "MCP_CONNECTOR_REFRESH_SYNC";
const INTERVAL = "MCP_CONNECTOR_REFRESH_INTERVAL_MS";

/** What holds where the environment says nothing. */
const DEFAULTS = { sync: false, intervalMs: 300_000 } as const;

/**
 * The flags that the environment sets. An empty variable counts as unset; one that cannot be understood counts as unset too, and a warning names it.
 *
 * @param env @default `process.env`
 * @param logger hears the warnings. @default they become warnings of the process
 */
export function parseConnectorFeatureFlags(
  env: Environment = process.env,
  logger: Pick<Logger, "warn"> = processWarnings,
): ConnectorFeatureFlags {
  const warnOf = (variable: string, problem: string, fallback: unknown): void => {
    logger.warn({ brand: BRAND, variable }, `${problem}; going on with ${String(fallback)}`);
  };
  const sync = syncOf(env);
  if (!sync.ok) warnOf(SYNC, sync.problem, DEFAULTS.sync);
  const interval = intervalOf(env);
  if (!interval.ok) warnOf(INTERVAL, interval.problem, DEFAULTS.intervalMs);
  return {
    asyncRefresh: !(sync.ok ? sync.value : DEFAULTS.sync),
    refreshIntervalMs: interval.ok ? interval.value : DEFAULTS.intervalMs,
  };
}

/** What is wrong with the flags in the environment, for a program that refuses to start with them; `undefined` when nothing is. */
export function featureFlagProblem(env: Environment): string | undefined {
  const problems = [syncOf(env), intervalOf(env)].flatMap((parsed) => (parsed.ok ? [] : [parsed.problem]));
  return problems.length === 0 ? undefined : problems.join("; ");
}

function syncOf(env: Environment): Parsed<boolean> {
  switch (env[SYNC]?.trim().toLowerCase() ?? "") {
    case "":
      return { ok: true, value: DEFAULTS.sync };
    case "true":
    case "1":
      return { ok: true, value: true };
    case "false":
    case "0":
      return { ok: true, value: false };
    default:
      return { ok: false, problem: `${SYNC} must be true or false` };
  }
}

function intervalOf(env: Environment): Parsed<number> {
  const text = env[INTERVAL]?.trim() ?? "";
  if (text === "") return { ok: true, value: DEFAULTS.intervalMs };
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= LONGEST_DELAY_MS) return { ok: true, value };
  return {
    ok: false,
    problem: `${INTERVAL} must be a whole number of milliseconds from 1 to ${LONGEST_DELAY_MS}, digits only`,
  };
}

const processWarnings: Pick<Logger, "warn"> = {
  warn: (_fields, message) => {
    process.emitWarning(message);
  },
};
