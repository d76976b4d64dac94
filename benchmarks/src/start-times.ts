import { callOnce } from "./call-once.js";
import { echoCall } from "./echo-call.js";
import { listTools } from "./list-tools.js";
import { appPath } from "./program-paths.js";
import { withServers } from "./server-process.js";

/** What a start of the program showed, in milliseconds since it was spawned. */
export interface StartTimes {
  /** Its endpoint is open: it said so. */
  readonly answersMs: number;
  /** When each of the connectors was usable, soonest first: its tools were listed at its own address, and a call of one of them succeeded. */
  readonly usableMs: readonly number[];
  /** The answer to a `tools/list` of all connectors, which was asked at once. */
  readonly listMs: number;
  /** How many of the connectors that list held. */
  readonly listed: number;
}

/** One start of the program. */
export interface StartOptions {
  readonly home: string;
  /** The connectors to be waited for. */
  readonly keys: readonly string[];
  /** Settings beside those of the home. */
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Starts `cortex-mcp serve` and watches its connectors become usable, without asking twice for anything: at its own address (`/mcp/-/KEY`) a connector is waited for by the
 * gateway itself. Then it is ended.
 *
 * @throws Error when a call fails, or when the list of all holds none of them: a client would remember that
 */
export async function startTimes({ home, keys, env = {} }: StartOptions): Promise<StartTimes> {
  return withServers(async ({ start }) => {
    const beforeMs = performance.now();
    const sinceSpawn = (): number => performance.now() - beforeMs;
    const quiet = { CORTEX_HOME: home, CORTEX_MCP_LOG_LEVEL: "error" };
    const { url } = await start([appPath, "serve", "--port", "0"], { ...quiet, ...env });
    const answersMs = sinceSpawn();
    const usable = async (key: string): Promise<number> => {
      const own = `${url}/-/${key}`;
      const tools = await listTools(own);
      if (!tools.includes("echo")) throw new Error(`${own} lists no echo`);
      await callOnce(echoCall(own, "echo"));
      return sinceSpawn();
    };
    const list = listTools(url).then((tools) => ({ tools, ms: sinceSpawn() }));
    const [{ tools, ms: listMs }, ...usableMs] = await Promise.all([list, ...keys.map(usable)]);
    const listed = keys.filter((key) => tools.some((tool) => tool.startsWith(`${key}__`))).length;
    if (listed === 0) throw new Error(`${url} lists no tool of ${keys.join(", ")}`);
    return { answersMs, usableMs: usableMs.toSorted((a, b) => a - b), listMs, listed };
  });
}
