import { request, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { STDIO_PATH, STDIO_PROTOCOL } from "@cortex-os/mcp";
import type { Timers } from "@cortex-os/mcp-core";
import type { RunningGateway } from "../state/running-gateway.js";
import { wakeOrEnd } from "../state/wake-or-end.js";
import { userError } from "../user-error.js";
import type { GatewayLink } from "./gateway-link.js";

/** How long a gateway may take to answer, in milliseconds: it may be starting on a busy machine. */
const ANSWER_MS = 10_000;
/** It is on its way out. */
const DRAINING = 503;

/**
 * Asks a running gateway to carry a client's stdio.
 *
 * @returns `undefined` when it is gone or on its way out, or `signal` ended the asking
 * @throws GatewayError USER_INPUT when it refuses or does not answer
 */
export async function openSocketLink(
  running: RunningGateway,
  timers: Timers,
  signal: AbortSignal,
): Promise<GatewayLink | undefined> {
  const headers = { host: "localhost", connection: "Upgrade", upgrade: STDIO_PROTOCOL };
  const asking = request({ socketPath: running.socket, path: STDIO_PATH, headers, agent: false, signal });
  const answer = new Promise<Socket | number | undefined>((resolve) => {
    asking
      .on("upgrade", (_response, socket: Socket, first) => {
        socket.unshift(first);
        resolve(socket);
      })
      .on("response", (response: IncomingMessage) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
      .on("error", () => {
        resolve(undefined);
      });
  });
  let isSilent = false;
  const cancel = timers.after(ANSWER_MS, () => {
    isSilent = true;
    asking.destroy();
  });
  asking.end();
  const got = await answer;
  cancel();
  if (isSilent) throw userError(silence(running));
  if (typeof got === "number" && got !== DRAINING) throw userError(refusal(running, got));
  if (typeof got !== "object") return undefined;
  const socket = got;
  const hasUrl = running.record?.url !== undefined;
  const close = (): void => void socket.destroy();
  const pid = running.record?.pid;
  const isAwake = (withinMs: number): Promise<boolean> => answersWithin(withinMs, running.socket, timers);
  return { toGateway: socket, fromGateway: socket, hasUrl, pid, isAwake, close };
}

/** On a connection of its own: that of a client may be held up because its client, or an upstream, does not read. */
async function answersWithin(withinMs: number, socketPath: string, timers: Timers): Promise<boolean> {
  const asking = request({ socketPath, path: "/livez", headers: { host: "localhost" }, agent: false });
  const cancel = timers.after(withinMs, () => void asking.destroy());
  const answered = await new Promise<boolean>((resolve) => {
    asking.on("error", () => {
      resolve(false);
    });
    asking.on("response", (response) => {
      response.on("error", () => {}).resume();
      resolve(true);
    });
    asking.end();
  });
  cancel();
  return answered;
}

function silence({ record }: RunningGateway): string {
  const after = `did not answer within ${ANSWER_MS / 1_000} s`;
  if (record === undefined) return `the running gateway ${after}; end it and try again`;
  return `the running gateway (pid ${record.pid}) ${after}; ${wakeOrEnd(record.pid)}`;
}

function refusal({ record }: RunningGateway, status: number): string {
  const who = record === undefined ? "" : ` (version ${record.version}, pid ${record.pid})`;
  const remedy = record === undefined ? "end it" : `end it with kill ${record.pid}`;
  return `the running gateway${who} does not serve cortex-mcp stdio, it answered HTTP ${status}: it is of another version; ${remedy} and start it anew`;
}
