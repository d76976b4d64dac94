import { GatewayError, type Clock, type ConnectorTimeouts } from "@cortex-os/mcp-core";
import type { JsonObject, JsonRpcNotification, JsonRpcRequest } from "@cortex-os/mcp-core/wire";
import type { PeerEvents, Serving } from "../channel/lane.js";
import { ask } from "../channel/own-request.js";
import { describedBy } from "../described-by.js";
import { judgeInitialize } from "../http/detect-era.js";
import { timeoutFailure } from "../http/failures.js";
import { withinTime } from "../http/time-limit.js";
import { SsePeer, type SsePeerDeps } from "./sse-peer.js";

/** What all connections to one HTTP+SSE server have in common. */
export interface SseOpening extends Omit<SsePeerDeps, "isOwn" | "onUnreachable"> {
  readonly clock: Clock;
  readonly timeouts: ConnectorTimeouts;
  /** How the gateway introduces itself where it speaks for no single client. */
  readonly clientInfo: JsonObject;
}

/** What is particular about one connection. */
export interface SseGreeting extends Pick<SsePeerDeps, "isOwn" | "onUnreachable"> {
  /** The revision that is offered; the server may choose another one. */
  readonly revision: string;
  readonly clientInfo?: JsonObject;
  /** What the server may ask back. @default nothing */
  readonly capabilities?: JsonObject;
}

/**
 * Opens a connection and greets the server with `initialize`, within `connectMs` altogether.
 *
 * @param events heard from the moment this resolves; until then a loss is this function's own business
 * @throws GatewayError as {@link SsePeer.connect}, UPSTREAM_PROTOCOL when no revision can be agreed on, UPSTREAM_TIMEOUT, or the signal's reason. Nothing is
 *   left of the connection then
 */
export async function openSsePeer(
  opening: SseOpening,
  greeting: SseGreeting,
  events: PeerEvents,
  signal: AbortSignal,
): Promise<Serving<SsePeer>> {
  const { clock, timeouts, timers, upstream } = opening;
  const { connectMs } = timeouts;
  let serves = false;
  const peer = new SsePeer(
    { ...opening, ...greeting },
    {
      onNotification: (notification: JsonRpcNotification) => events.onNotification(notification),
      onRequest: (request: JsonRpcRequest, bytes: number) => events.onRequest(request, bytes),
      onLost: (error: GatewayError) => {
        if (serves) events.onLost(error);
      },
    },
  );
  const expired = () => timeoutFailure(upstream.key, connectMs, "did not open a session over HTTP+SSE");
  try {
    return await withinTime(timers, connectMs, expired, [signal], async (bounded) => {
      const giveUp = (): void => peer.retire(GatewayError.from(bounded.reason, "CANCELLED", "cancelled"));
      if (bounded.aborted) giveUp();
      bounded.addEventListener("abort", giveUp);
      await peer.connect();
      const { capabilities = {}, clientInfo = opening.clientInfo, revision } = greeting;
      const params = { protocolVersion: revision, capabilities, clientInfo };
      const response = await ask(peer.channel, "initialize", params);
      const judged = judgeInitialize(upstream.key, { status: 200, body: "", response });
      if (GatewayError.is(judged)) throw judged;
      await peer.confirm(judged.revision);
      serves = true;
      const detectedAt = new Date(clock.now()).toISOString();
      const facts = { era: "legacy", transport: "sse", revision: judged.revision, detectedAt } as const;
      return { peer, facts: { ...facts, ...describedBy(judged.result) } };
    });
  } catch (error) {
    await peer.stop();
    throw error;
  }
}
