import { request, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { STDIO_PATH, STDIO_PROTOCOL } from "@cortex-os/mcp";
import type { Timers } from "@cortex-os/mcp-core";
import type { RunningGateway } from "../state/running-gateway.js";
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
  return { toGateway: socket, fromGateway: socket, hasUrl, close: () => void socket.destroy() };
}

function silence({ record }: RunningGateway): string {
  const after = `did not answer within ${ANSWER_MS / 1_000} s`;
  if (record === undefined) return `the running gateway ${after}; end it and try again`;
  const { pid } = record;
  return `the running gateway (pid ${pid}) ${after}; kill -CONT ${pid} wakes one that was suspended, kill -9 ${pid} ends it`;
}

function refusal({ record }: RunningGateway, status: number): string {
  const who = record === undefined ? "" : ` (version ${record.version}, pid ${record.pid})`;
  const remedy = record === undefined ? "end it" : `end it with kill ${record.pid}`;
  return `the running gateway${who} does not serve cortex-mcp stdio, it answered HTTP ${status}: it is of another version; ${remedy} and start it anew`;
}
