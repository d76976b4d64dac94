import { backoffDelayMs, type Logger, type Monotonic, type RandomSource, type Timers } from "@cortex-os/mcp-core";
import { changedFeature, type JsonRpcNotification, type JsonRpcRequest } from "@cortex-os/mcp-core/wire";
import { isOfProtocol } from "../listening/notifications.js";
import { grantsToolChanges } from "../tool-changes.js";
import { EventStream, type StreamEnd, type StreamListener } from "./event-stream.js";

const REOPEN = { baseMs: 200, maxMs: 30_000 };
/** A stream that lived this long was a good one: the next reopening starts from the shortest delay again. */
const STABLE_MS = 10_000;

/** What {@link Listening} works through. */
export interface ListeningPorts {
  readonly key: string;
  readonly logger: Logger;
  readonly timers: Timers;
  readonly monotonic: Monotonic;
  readonly random: RandomSource;
  /** Whether the upstream says on the stream what it will tell: then an open stream alone means nothing. */
  readonly acknowledges: boolean;
  /** Sends the request whose response is the stream. */
  open(stream: EventStream): void;
  /** The upstream's tools changed, or may have changed while nobody listened. */
  onListChanged(): void;
  /** What it tells that is no change of a list. */
  onNotification(notification: JsonRpcNotification): void;
  onRequest(request: JsonRpcRequest): void;
  onUnreachable(error: Error): void;
  /** @param wasOpen whether the stream was ever open: then a refusal may mean no more than a lost session */
  onRefused(status: number, text: string, wasOpen: boolean): "give-up" | "retry";
}

/**
 * Keeps one stream of an upstream's change notifications open: opens it again with backoff when it ends, and reports a
 * change each time, because one may have been missed in between.
 */
export class Listening implements StreamListener {
  readonly #ports: ListeningPorts;
  #stream: EventStream | undefined;
  #cancelReopen: (() => void) | undefined;
  #attempt = 0;
  #openedMs: number | undefined;
  #wasOpen = false;
  /** Whether something may have been missed since the stream was last open. */
  #missed = false;
  #stopped = false;
  #hears = false;

  constructor(ports: ListeningPorts) {
    this.#ports = ports;
  }

  /** Whether a change would be heard of right now. */
  get hears(): boolean {
    return this.#hears;
  }

  start(): void {
    if (this.#stopped) return;
    this.#stream = new EventStream(this.#ports.key, this);
    this.#ports.open(this.#stream);
  }

  /** Ends it; nothing is called afterwards. Idempotent. */
  stop(): void {
    this.#stopped = true;
    this.#hears = false;
    this.#cancelReopen?.();
    this.#stream?.stop();
  }

  onOpen(): void {
    this.#openedMs = this.#ports.monotonic.elapsedMs();
    this.#wasOpen = true;
    this.#hears = !this.#ports.acknowledges;
    if (this.#missed) this.#ports.onListChanged();
    this.#missed = false;
  }

  onMessage(classified: Parameters<StreamListener["onMessage"]>[0]): void {
    const { kind, message } = classified;
    if (kind === "request") this.#ports.onRequest(message);
    else if (kind === "notification") this.#onNotification(message);
  }

  onEnd(end: StreamEnd): void {
    if (this.#stopped) return;
    this.#hears = false;
    if (end.kind === "unreachable") {
      this.stop();
      this.#ports.onUnreachable(end.error);
      return;
    }
    this.#missed = true;
    if (end.kind === "ended" || this.#ports.onRefused(end.status, end.text, this.#wasOpen) === "retry") {
      this.#reopenLater();
      return;
    }
    const fields = { connectorId: this.#ports.key, status: end.status };
    this.#ports.logger.debug(fields, "The upstream offers no stream of changes");
  }

  #onNotification(notification: JsonRpcNotification): void {
    const { method, params } = notification;
    if (method === "notifications/tools/list_changed") {
      // Who tells is heard, whatever it said it would do.
      this.#hears = true;
      this.#ports.onListChanged();
    } else if (method === "notifications/subscriptions/acknowledged") {
      this.#hears = grantsToolChanges(params);
      if (this.#hears) return;
      const { key, logger } = this.#ports;
      logger.debug({ connectorId: key }, "The upstream will not tell of changes of its tools");
    } else if (changedFeature(method) === undefined && !isOfProtocol(method)) this.#ports.onNotification(notification);
  }

  #reopenLater(): void {
    const { monotonic, random, timers } = this.#ports;
    if (this.#openedMs !== undefined && monotonic.elapsedMs() - this.#openedMs >= STABLE_MS) this.#attempt = 0;
    this.#openedMs = undefined;
    this.#cancelReopen = timers.after(backoffDelayMs(this.#attempt++, REOPEN, random), () => this.start());
  }
}
