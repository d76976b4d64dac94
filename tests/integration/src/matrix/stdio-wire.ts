import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { SurfaceGateway } from "../support/surface-gateway.js";
import { messagesOf } from "./message.js";
import type { OpenWire } from "./wire.js";

/** A `cortex-mcp stdio` of its own, as every desktop client starts one. */
export function overStdio({ stdio }: SurfaceGateway): OpenWire {
  return async (onMessage) => {
    const child = spawn(stdio.command, stdio.args, { env: stdio.env, stdio: ["pipe", "pipe", "ignore"] });
    const closed = once(child, "close");
    createInterface({ input: child.stdout }).on("line", (line) => {
      for (const message of messagesOf(line)) onMessage(message);
    });
    return {
      cancelsByMessage: true,
      send: async (sent) => {
        child.stdin.write(`${JSON.stringify(sent)}\n`);
        return undefined;
      },
      listen: async () => {},
      close: async () => {
        child.stdin.end();
        await closed;
      },
    };
  };
}
