import { StdioClientTransport as ModernStdio } from "@modelcontextprotocol/client/stdio";
import { StdioClientTransport as LegacyStdio } from "@modelcontextprotocol/sdk/client/stdio.js";
import { onTestFinished } from "vitest";
import type { ProgramHome } from "./program-home.js";
import { legacyClientOver, modernClientOver, type RealClient } from "./real-clients.js";

/** A real client that starts `cortex-mcp stdio` itself, as desktop clients do. */
export interface StdioClient extends Omit<RealClient, "revision"> {
  readonly pid: number;
  /** What its process wrote on standard error so far. */
  readonly log: () => string;
}

/** The two SDKs' clients. They are closed at the end of the test. */
export const STDIO_CLIENTS = {
  "v1 SDK": async (home: ProgramHome) => {
    const transport = new LegacyStdio({ ...home.command("stdio"), stderr: "pipe" });
    return started(transport, legacyClientOver(transport));
  },
  "v2 SDK": async (home: ProgramHome) => {
    const transport = new ModernStdio({ ...home.command("stdio"), stderr: "pipe" });
    return started(transport, modernClientOver(transport));
  },
} as const;

interface Transport {
  readonly pid: number | null;
  readonly stderr: { on(event: "data", listener: (chunk: unknown) => void): unknown } | null;
}

async function started(transport: Transport, connecting: Promise<Omit<RealClient, "revision">>): Promise<StdioClient> {
  let log = "";
  transport.stderr?.on("data", (chunk) => {
    log += String(chunk);
  });
  try {
    const client = await connecting;
    onTestFinished(() => client.close());
    return { ...client, pid: transport.pid ?? 0, log: () => log };
  } catch (error) {
    throw new Error(`cortex-mcp stdio did not start: ${log}`, { cause: error });
  }
}
