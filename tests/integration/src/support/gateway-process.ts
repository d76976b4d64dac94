import { readFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { ConnectorStatus } from "@cortex-os/mcp-core";
import type { MapFetchOutcome, ServiceMapStatus } from "@cortex-os/mcp";
import type { ProgramHome, ServingProcess } from "./program-home.js";

/** What the control API says of a gateway that follows a service map. */
export interface GatewayView {
  readonly connectors: readonly ConnectorStatus[];
  readonly problems: readonly string[];
  readonly serviceMap: ServiceMapStatus;
}

/** A gateway that runs as a process of its own, and its control socket. */
export interface GatewayProcess extends ServingProcess {
  status(): Promise<GatewayView>;
  /** What is in force, and how it came to it. */
  map(): Promise<ServiceMapStatus>;
  /** `state: reason` of each connector that there is. */
  states(): Promise<Readonly<Record<string, string>>>;
  /** Makes it fetch the service map now, as a person would, and gives what came of it. */
  reloadMap(): Promise<ServiceMapStatus>;
  metrics(): Promise<string>;
  /** How often it fetched the map, by what came of it. */
  fetches(): Promise<Readonly<Record<MapFetchOutcome, number>>>;
}

/** Starts a gateway of `home` and waits until it says where it serves. */
export async function startGateway(
  home: ProgramHome,
  { port = 0, env = {} }: { readonly port?: number; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<GatewayProcess> {
  const served = await home.serving(["serve", "--json", "--port", String(port)], env);
  const record = JSON.parse(await readFile(join(home.folder, "mcp", "gateway.json"), "utf8")) as { socket: string };
  const status = async (): Promise<GatewayView> => control(record.socket, "GET", "/api/v1/status");
  const map = async (): Promise<ServiceMapStatus> => (await status()).serviceMap;
  const metrics = async (): Promise<string> => (await fetch(new URL("/metrics", served.url))).text();
  return {
    ...served,
    status,
    map,
    states: async () => {
      const { connectors } = await status();
      return Object.fromEntries(
        connectors.map(({ key, state, reason }) => [key, reason === undefined ? state : `${state}: ${reason}`]),
      );
    },
    reloadMap: async () => {
      const { serviceMap } = await control<GatewayView>(record.socket, "POST", "/api/v1/reload", { source: "map" });
      return serviceMap;
    },
    metrics,
    fetches: async () => {
      const samples = (await metrics()).matchAll(/^brainwav_mcp_service_map_fetches_total\{outcome="(\w+)"\} (\d+)$/gm);
      const counts = Object.fromEntries([...samples].map(([, outcome, count]) => [outcome, Number(count)]));
      return { changed: 0, unchanged: 0, held: 0, refused: 0, unreachable: 0, ...counts };
    },
  };
}

async function control<T>(socketPath: string, method: string, path: string, body?: object): Promise<T> {
  const answer = await new Promise<string>((resolve, reject) => {
    request({ socketPath, method, path, agent: false, headers: { "content-type": "application/json" } }, (response) => {
      text(response).then(resolve, reject);
    })
      .on("error", reject)
      .end(body === undefined ? "" : JSON.stringify(body));
  });
  const value = JSON.parse(answer) as T & { readonly error?: unknown };
  if (value.error === undefined) return value;
  throw new Error(`the gateway answered ${path} with ${answer}`);
}
