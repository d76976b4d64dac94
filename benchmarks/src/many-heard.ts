import { isJsonObject } from "@cortex-os/mcp-core/wire";
import { request } from "undici";
import { manyClientsPath } from "./program-paths.js";
import type { ServerProcess, Servers } from "./server-process.js";

/** What many clients were told since they were asked to forget, with times in milliseconds since the epoch. */
export interface Heard {
  readonly clients: number;
  /** Clients that were told of a change. */
  readonly told: number;
  readonly notices: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** Most notices in 10 ms. */
  readonly most: number;
}

const CLIENT_KINDS = ["listeners", "sessions", "silent-sessions"] as const;

/** How the clients of {@link startClients} are connected: modern `subscriptions/listen` streams, legacy sessions with a GET stream, or without one. */
export type ClientKind = (typeof CLIENT_KINDS)[number];

/** Whether it names one. */
export const isClientKind = (kind: string): kind is ClientKind => CLIENT_KINDS.some((each) => each === kind);

/** Many clients in a process of their own. */
export interface ManyClients extends ServerProcess {
  readonly heard: () => Promise<Heard>;
  readonly forget: () => Promise<void>;
}

/** Opens that many clients of a gateway. */
export async function startClients(
  { start }: Servers,
  gateway: string,
  count: number,
  kind: ClientKind,
): Promise<ManyClients> {
  const clients = await start([manyClientsPath, gateway, String(count), kind]);
  const ask = async (method: "GET" | "DELETE"): Promise<Heard> => {
    const { body } = await request(clients.url, { method });
    return heardOf(await body.json());
  };
  return {
    ...clients,
    heard: () => ask("GET"),
    forget: async () => {
      await ask("DELETE");
    },
  };
}

/** The time as {@link Heard} tells it. */
export const nowMs = (): number => performance.timeOrigin + performance.now();

/** @throws Error when it is none */
function heardOf(value: unknown): Heard {
  const number = (name: keyof Heard): number => {
    const member = isJsonObject(value) ? value[name] : undefined;
    if (typeof member !== "number") throw new Error(`the clients did not say ${name}: ${JSON.stringify(value)}`);
    return member;
  };
  return {
    clients: number("clients"),
    told: number("told"),
    notices: number("notices"),
    firstMs: number("firstMs"),
    lastMs: number("lastMs"),
    most: number("most"),
  };
}
