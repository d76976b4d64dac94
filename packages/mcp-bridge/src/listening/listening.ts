import {
  backoffDelayMs,
  GatewayError,
  messageOf,
  type Logger,
  type Monotonic,
  type RandomSource,
  type Timers,
} from "@cortex-os/mcp-core";
import { changedFeature, type JsonRpcNotification, type ServerFeature } from "@cortex-os/mcp-core/wire";
import { connectorName, timeoutFailure } from "../http/failures.js";
import type { Ear, EarEnd, EarListener } from "./ear.js";
import { grantedBy, type Granted } from "./feature-changes.js";
import { Handover } from "./handover.js";
import { isOfProtocol, withoutSubscriptionId } from "./notifications.js";
import type { ResourceSubscriptions } from "./resource-subscriptions.js";
import { isAwaited, leave, type Seat } from "./seat.js";
import { Waiting } from "./waiting.js";

const REOPEN = { baseMs: 200, maxMs: 30_000 };
/** An ear that lived this long was a good one: the next reopening starts from the shortest delay again. */
const STABLE_MS = 10_000;

/** What {@link Listening} works through. */
export interface ListeningPorts {
  readonly key: string;
  readonly logger: Logger;
  readonly timers: Timers;
  readonly monotonic: Monotonic;
  readonly random: RandomSource;
  /** Of whose lists the upstream claims to tell changes. */
  readonly features: readonly ServerFeature[];
  /**
   * Whether the upstream says what it will tell, and is asked by the resource (the modern era): then an ear that is open means nothing yet, and none is
   * opened that has nothing to ask for.
   */
  readonly acknowledges: boolean;
  /** How long a subscription to a resource may wait to be acknowledged, in milliseconds. */
  readonly subscribeMs: number;
  readonly open: (uris: readonly string[], listener: EarListener) => Ear;
  readonly onListChanged: (feature: ServerFeature) => void;
  /** What is told that is no change of a list. */
  readonly onNotification: (notification: JsonRpcNotification) => void;
  /** It listens again: what was told meanwhile was missed. */
  readonly onMissed: () => void;
  /** The upstream is not there; for ears that can tell. */
  readonly onGone?: (error: GatewayError) => void;
}

/**
 * Keeps an ear at an upstream: opens another one, with backoff, when it ends. When the resources that are asked for change, the next ear is acknowledged
 * before the last one is left, and both are heard for a while, so that nothing is missed. One that is not acknowledged in time is given up while the last one goes on; as the only one it is
 * kept, because it may tell all the same.
 */
export class Listening implements ResourceSubscriptions {
  readonly #ports: ListeningPorts;
  readonly #uris = new Set<string>();
  readonly #waiting: Waiting;
  /** The one that is heard, and the one that is to take its place. */
  #seats: readonly Seat[] = [];
  /** While the last one is heard still. */
  #handover: Handover | undefined;
  #heard: ReadonlySet<ServerFeature> = new Set();
  #cancelReopen: (() => void) | undefined;
  #attempt = 0;
  #readyMs: number | undefined;
  #wasReady = false;
  #missed = false;
  #isRenewing = false;
  #stopped: GatewayError | undefined;

  constructor(ports: ListeningPorts) {
    this.#ports = ports;
    this.#waiting = new Waiting(ports.timers, ports.subscribeMs, (uri) => {
      this.#refuse(uri, timeoutFailure(ports.key, ports.subscribeMs, "did not agree to a subscription"));
      this.#changed();
    });
  }

  get uris(): readonly string[] {
    return [...this.#uris];
  }

  /** Whether a change of this feature's lists would be heard of right now. */
  hears(feature: ServerFeature): boolean {
    return this.#heard.has(feature);
  }

  /** Opens an ear, if there is anything to hear. */
  start(): void {
    if (this.#stopped === undefined && this.#isNeeded) this.#open();
  }

  /** What the ear hung on has been replaced: begins anew, as after a gap. */
  restart(): void {
    this.#closeAll();
    this.#missed = true;
    this.start();
  }

  /** Ends it; nothing is called afterwards. @param error what subscriptions that wait fail with */
  stop(error: GatewayError): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = error;
    this.#closeAll();
    this.#waiting.failAll(error);
  }

  /** @throws GatewayError UPSTREAM_PROTOCOL when the upstream does not grant it, UPSTREAM_TIMEOUT, or what this was stopped with */
  async subscribe(uri: string): Promise<void> {
    if (this.#stopped !== undefined) throw this.#stopped;
    this.#uris.add(uri);
    if (this.#seats.at(-1)?.covered.has(uri) === true) return;
    this.#changed();
    await this.#waiting.add(uri);
  }

  unsubscribe(uri: string): Promise<void> {
    if (this.#uris.delete(uri)) this.#changed();
    this.#waiting.settle(uri);
    return Promise.resolve();
  }

  get #isNeeded(): boolean {
    const { acknowledges, features } = this.#ports;
    return !acknowledges || features.length > 0 || this.#uris.size > 0;
  }

  /** What is asked for changed; several changes at once make one new ear. */
  #changed(): void {
    if (this.#isRenewing) return;
    this.#isRenewing = true;
    setImmediate(() => {
      this.#isRenewing = false;
      if (this.#stopped === undefined && this.#cancelReopen === undefined) this.#renew();
    });
  }

  #renew(): void {
    const newest = this.#seats.at(-1);
    if (!this.#isNeeded) this.#closeAll();
    else if (newest === undefined) this.#open();
    // One that is not acknowledged yet is looked at again when it is, or is late.
    else if (!isAwaited(newest) && !isSame(newest.covered, this.#uris)) this.#open();
  }

  #open(): void {
    const { acknowledges, subscribeMs, timers } = this.#ports;
    const seat: Seat = {
      asked: this.uris,
      ear: undefined,
      isReady: false,
      isLate: false,
      cancelWait: () => {},
      covered: new Set(),
    };
    this.#seats = [...this.#seats, seat];
    if (acknowledges) seat.cancelWait = timers.after(subscribeMs, () => this.#late(seat));
    const isTaken = () => this.#seats.includes(seat);
    seat.ear = this.#ports.open(seat.asked, {
      onOpen: () => {
        if (isTaken() && !acknowledges) this.#ready(seat, { features: this.#ports.features, uris: [] });
      },
      onNotification: (notification) => {
        if (isTaken()) this.#onNotification(seat, notification);
        else if (seat.leaving?.isOver === false) this.#tell(notification, seat.leaving.isNews("leaving", notification));
      },
      onEnd: (end) => {
        if (isTaken()) this.#ended(seat, end);
      },
    });
  }

  #onNotification(seat: Seat, notification: JsonRpcNotification): void {
    const { method, params } = notification;
    if (method === "notifications/subscriptions/acknowledged") this.#ready(seat, grantedBy(params));
    else this.#tell(notification, this.#handover?.isOver !== false || this.#handover.isNews("taking", notification));
  }

  #tell(notification: JsonRpcNotification, isNews: boolean): void {
    if (!isNews) return;
    const { method } = notification;
    const changed = changedFeature(method);
    if (changed !== undefined) {
      // Who tells is heard, whatever it said it would do.
      this.#heard = new Set([...this.#heard, changed]);
      this.#ports.onListChanged(changed);
    } else if (!isOfProtocol(method)) this.#ports.onNotification(withoutSubscriptionId(notification));
  }

  #ready(seat: Seat, { features, uris }: Granted): void {
    const { acknowledges, key, logger, monotonic, onMissed } = this.#ports;
    seat.isReady = true;
    seat.cancelWait();
    seat.covered = new Set(seat.asked.filter((uri) => uris.includes(uri)));
    const at = this.#seats.indexOf(seat);
    this.#handOver(this.#seats.slice(0, at));
    this.#seats = this.#seats.slice(at);
    this.#heard = new Set(features);
    this.#readyMs = monotonic.elapsedMs();
    this.#wasReady = true;
    const unheard = this.#ports.features.filter((feature) => !features.includes(feature));
    if (acknowledges && unheard.length > 0)
      logger.debug(
        { connectorId: key, features: unheard },
        "The upstream will not tell of changes that it claims to tell",
      );
    for (const uri of seat.asked) {
      if (seat.covered.has(uri)) this.#waiting.settle(uri);
      else this.#refuse(uri, refused(key));
    }
    if (!isSame(seat.covered, this.#uris)) this.#changed();
    if (!this.#missed) return;
    this.#missed = false;
    onMissed();
  }

  #handOver(older: readonly Seat[]): void {
    // Those that were left before have had the time of a whole acknowledgement.
    this.#handover?.end();
    if (older.length === 0) return;
    const handover = new Handover(this.#ports.timers, () => older.forEach(leave));
    this.#handover = handover;
    for (const seat of older) seat.leaving = handover;
  }

  /** Those who wait for the resources that it asked for have been told so. */
  #late(seat: Seat): void {
    seat.isLate = true;
    const { key, logger } = this.#ports;
    logger.debug({ connectorId: key }, "The upstream did not acknowledge a subscription in time");
    if (this.#seats.length > 1) {
      this.#seats = this.#seats.filter((other) => other !== seat);
      leave(seat);
    }
    if (this.uris.some((uri) => !seat.asked.includes(uri))) this.#changed();
  }

  #ended(seat: Seat, end: EarEnd): void {
    seat.cancelWait();
    this.#seats = this.#seats.filter((other) => other !== seat);
    if (end.kind === "gone") {
      this.stop(end.error);
      this.#ports.onGone?.(end.error);
      return;
    }
    const [other] = this.#seats;
    if (other?.isReady !== true) {
      this.#heard = new Set();
      this.#missed = true;
    }
    if (end.kind === "refused") {
      for (const uri of seat.asked) if (other?.covered.has(uri) !== true) this.#refuse(uri, end.error);
    }
    if (other !== undefined && (end.kind === "refused" || isAwaited(other))) return;
    if (end.kind === "ended" || this.#wasReady || seat.asked.length > 0) this.#reopenLater();
    else {
      const fields = { connectorId: this.#ports.key, reason: end.error.message };
      this.#ports.logger.debug(fields, "The upstream offers no stream of changes");
    }
  }

  #reopenLater(): void {
    if (this.#cancelReopen !== undefined) return;
    const { monotonic, random, timers } = this.#ports;
    if (this.#readyMs !== undefined && monotonic.elapsedMs() - this.#readyMs >= STABLE_MS) this.#attempt = 0;
    this.#readyMs = undefined;
    this.#cancelReopen = timers.after(backoffDelayMs(this.#attempt++, REOPEN, random), () => {
      this.#cancelReopen = undefined;
      this.#renew();
    });
  }

  /** The upstream does not tell of this resource: nobody asks for it again. */
  #refuse(uri: string, error: GatewayError): void {
    if (!this.#uris.delete(uri) || this.#waiting.settle(uri, error)) return;
    const fields = { connectorId: this.#ports.key, reason: messageOf(error) };
    this.#ports.logger.warn(fields, "The upstream does not tell of changes of a resource any more");
  }

  #closeAll(): void {
    this.#cancelReopen?.();
    this.#cancelReopen = undefined;
    this.#heard = new Set();
    this.#handover?.end();
    for (const seat of this.#seats) leave(seat);
    this.#seats = [];
  }
}

const isSame = (one: ReadonlySet<string>, other: ReadonlySet<string>): boolean =>
  one.size === other.size && [...one].every((uri) => other.has(uri));

const refused = (key: string): GatewayError =>
  new GatewayError("UPSTREAM_PROTOCOL", `${connectorName(key)} does not tell of changes of this resource`);
