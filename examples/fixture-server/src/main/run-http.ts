import { startFixtureHttp } from "../http/start-fixture-http.js";
import { startFixtureSse } from "../http/start-fixture-sse.js";
import { FlagError, parseFlags, type Flags } from "./flags.js";
import { optionsOf } from "./options-of.js";
import type { ProcessLike } from "./process-like.js";

/**
 * Runs the HTTP server until SIGINT or SIGTERM; prints one line with its URL when it is ready.
 * @returns the exit status: 1, with one line on the error stream, for what the user can mend
 */
export async function runHttp(process: ProcessLike): Promise<number> {
  try {
    const flags = parseFlags("http", process.argv);
    const server = await start(flags);
    try {
      const stopped = new Promise<void>((resolve) => {
        process.onSignal(["SIGINT", "SIGTERM"], resolve);
      });
      process.out(`MCP fixture server ready at ${server.url}`);
      await stopped;
    } finally {
      await server.close();
    }
    return 0;
  } catch (error) {
    const line = mendable(error);
    if (line === undefined) throw error;
    process.err(line);
    return 1;
  }
}

async function start(flags: Flags): Promise<{ readonly url: string; close(): Promise<void> }> {
  const { port, sessions, jsonOnly, resumable } = flags;
  if (flags.transport === "sse") return await startFixtureSse({ ...optionsOf(flags), port });
  return await startFixtureHttp({ ...optionsOf(flags), port, sessions, jsonOnly, resumable });
}

function mendable(error: unknown): string | undefined {
  if (error instanceof FlagError) return error.message;
  if (error instanceof Error && "syscall" in error && error.syscall === "listen") {
    return `cannot listen: ${error.message}; choose another --port`;
  }
  return undefined;
}
