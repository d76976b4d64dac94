import { STATUS_CODES, type IncomingMessage } from "node:http";
import { finished, type Duplex } from "node:stream";
import { GatewayError, type Logger, type Timers } from "@cortex-os/mcp-core";
import type { Gateway } from "../gateway/gateway.js";
import { StdioConversation } from "../stdio/stdio-conversation.js";
import type { GatewayMetrics } from "../telemetry/metrics.js";
import type { DrainPlan } from "./drain.js";
import { guard, type GuardPolicy } from "./guards.js";

/** What a relay asks for, with {@link STDIO_PROTOCOL} as the protocol to switch to. */
export const STDIO_PATH = "/api/v1/stdio";
/** The framing of stdio on a connection that began as HTTP. */
export const STDIO_PROTOCOL = "cortex-mcp-stdio";

/** How long what is written at the deadline gets to leave, in milliseconds. */
const LAST_WORDS_MS = 200;

/** What {@link StdioUpgrades} work through. */
export interface StdioUpgradesDeps {
  readonly gateway: Gateway;
  readonly metrics: GatewayMetrics;
  readonly logger: Logger;
  readonly timers: Timers;
  readonly policy: GuardPolicy;
  readonly maxMessageBytes: number;
  readonly isDraining: () => boolean;
}

/** The control socket's connections that carry a client's stdio: a relay sends what its client says and passes on what it hears. */
export class StdioUpgrades {
  readonly #deps: StdioUpgradesDeps;
  readonly #open = new Map<StdioConversation, Duplex>();
  #onNone = new Set<() => void>();

  constructor(deps: StdioUpgradesDeps) {
    this.#deps = deps;
  }

  /** Resolves as soon as no client is served here. */
  async none(): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onNone.add(resolve);
    });
  }

  /** Switches protocols, or says why not. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A connection that breaks is over; there is nobody to tell.
    socket.on("error", () => {});
    const status = this.#refusal(request);
    if (status !== undefined) {
      refuse(socket, status);
      return;
    }
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${STDIO_PROTOCOL}\r\n\r\n`);
    socket.unshift(head);
    const { gateway, metrics, logger, maxMessageBytes } = this.#deps;
    const streams = { input: socket, output: socket, farewell: true };
    const conversation = new StdioConversation(gateway, { ...streams, maxMessageBytes, metrics, logger });
    this.#open.set(conversation, socket);
    finished(socket, () => {
      // Half-open: what the client closed, we close.
      socket.destroy();
      this.#open.delete(conversation);
      if (this.#open.size > 0) return;
      for (const onNone of this.#onNone) onNone();
      this.#onNone.clear();
    });
  }

  /** Ends every conversation in good order; what is still under way at the deadline is told that it will get no answer. */
  async drain({ deadlineMs, hasSuccessor }: DrainPlan): Promise<void> {
    const { timers, logger } = this.#deps;
    let cancel = timers.after(deadlineMs, () => {
      const error = new GatewayError("UPSTREAM_UNAVAILABLE", "the gateway is shutting down");
      let calls = 0;
      for (const conversation of this.#open.keys()) calls += conversation.shutDown(error);
      if (calls > 0) logger.warn({ calls }, "Calls failed because the gateway is shutting down");
      cancel = timers.after(LAST_WORDS_MS, () => {
        this.close();
      });
    });
    const draining = [...this.#open.keys()].map((conversation) => conversation.drain(hasSuccessor));
    this.#deps.gateway.endStreams();
    await Promise.all(draining);
    // The other side closes when it has read the last word.
    await this.none();
    cancel();
  }

  /** Cuts everything off. Idempotent. */
  close(): void {
    for (const [conversation, socket] of this.#open) {
      conversation.close();
      socket.destroy();
    }
  }

  #refusal(request: IncomingMessage): number | undefined {
    const refusal = guard(request, this.#deps.policy);
    if (refusal !== undefined) {
      this.#deps.metrics.rejected(refusal.reason);
      return refusal.status;
    }
    if (request.url !== STDIO_PATH) return 404;
    if (request.method !== "GET") return 405;
    if (request.headers.upgrade !== STDIO_PROTOCOL) return 400;
    return this.#deps.isDraining() ? 503 : undefined;
  }
}

function refuse(socket: Duplex, status: number): void {
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  socket.resume();
  socket.once("finish", () => socket.destroy());
}
