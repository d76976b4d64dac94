import { GatewayError } from "@cortex-os/mcp-core";
import { fixedRandom, ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import type { JsonObject, JsonRpcNotification, ServerFeature } from "@cortex-os/mcp-core/wire";
import type { EarListener } from "../ear.js";
import { Listening, type ListeningPorts } from "../listening.js";

/** One ear in the hands of a test. */
export interface TestEar {
  readonly uris: readonly string[];
  readonly listener: EarListener;
  isClosed: boolean;
  /** Says something on it. */
  say(method: string, params?: JsonObject): void;
  /** Acknowledges it. */
  grant(notifications: JsonObject): void;
}

export const CLOSED = new GatewayError("UPSTREAM_UNAVAILABLE", "closed");
export const REFUSED = new GatewayError("UPSTREAM_PROTOCOL", "no", { data: { upstreamCode: -32_602 } });

/** What a turn of the event loop brings. */
export const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A {@link Listening} of the modern era whose ears are the test's. */
export function listeningUnderTest(over: Partial<ListeningPorts> = {}) {
  const time = new ManualTime();
  const logger = new RecordingLogger();
  const ears: TestEar[] = [];
  const changed: ServerFeature[] = [];
  const told: JsonRpcNotification[] = [];
  const gone: GatewayError[] = [];
  const missed = { count: 0 };
  const listening = new Listening({
    ...{ key: "demo", logger, timers: time, monotonic: time, random: fixedRandom(0.5) },
    features: ["tools"],
    acknowledges: true,
    subscribeMs: 5_000,
    open(uris, listener) {
      const say = (method: string, params?: JsonObject) =>
        listener.onNotification({ jsonrpc: "2.0", method, ...(params === undefined ? {} : { params }) });
      const ear: TestEar = {
        uris,
        listener,
        isClosed: false,
        say,
        grant: (notifications) => say("notifications/subscriptions/acknowledged", { notifications }),
      };
      ears.push(ear);
      return {
        close() {
          ear.isClosed = true;
        },
      };
    },
    onListChanged: (feature) => changed.push(feature),
    onNotification: (notification) => told.push(notification),
    onMissed: () => {
      missed.count += 1;
    },
    onGone: (error) => gone.push(error),
    ...over,
  });
  /** The ear at this place, counted from the end for negative numbers. */
  const ear = (at: number): TestEar => {
    const found = ears.at(at);
    if (found === undefined) throw new Error(`there is no ear ${at}`);
    return found;
  };
  return { listening, time, logger, ears, ear, changed, told, gone, missed };
}
