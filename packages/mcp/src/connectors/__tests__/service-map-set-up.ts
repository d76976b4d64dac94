import { once } from "node:events";
import type { RequestListener } from "node:http";
import { createServer, type Socket } from "node:net";
import { LONGEST_DELAY_MS, systemTimers, type Timers } from "@cortex-os/mcp-core";
import { createServiceMapSignature, type ServiceMapPayload } from "@cortex-os/protocol";
import { Agent } from "undici";
import { expect, onTestFinished, vi } from "vitest";
import { startServer } from "../../__tests__/support/http.js";
import { ConnectorManifestError, type ManifestRule } from "../connector-manifest-error.js";
import { MapValidators } from "../map-validators.js";
import { loadConnectorServiceMap, type ConnectorServiceMapOptions } from "../service-map.js";

export const SIGNATURE_KEY = "a signature key that no message may show";
export const API_KEY = "an-api-key-that-no-message-may-show";
const URL_TOKEN = "a-token-that-no-message-may-show";

/** A moment, in milliseconds since the epoch, and a clock that stands still there. */
export const NOW = Date.parse("2026-08-01T12:00:00Z");
export const clock = { now: () => NOW };

const CONNECTOR = {
  id: "wikidata",
  version: "1.0.0",
  name: "Wikidata",
  endpoint: "https://wikidata.example/mcp",
  auth: { type: "none" },
  scopes: ["read"],
  status: "enabled",
  ttlSeconds: 300,
} as const;

/** A signed map of one connector, made a minute ago and good for five. */
export function signedMap(changes: Partial<ServiceMapPayload> = {}, key = SIGNATURE_KEY): ServiceMapPayload {
  const map = {
    id: "01K1HGWZ00ABCDEFGHJKMNPQRS",
    brand: "brAInwav",
    generatedAt: new Date(NOW - 60_000).toISOString(),
    ttlSeconds: 300,
    connectors: [CONNECTOR],
    ...changes,
  };
  return { ...map, signature: createServiceMapSignature(map, key) };
}

export const EXPIRES_AT = NOW + 240_000;

export const connectorOf = (changes: Readonly<Record<string, unknown>>): typeof CONNECTOR => ({
  ...CONNECTOR,
  ...changes,
});

/** The address of the map on a port, with a token in it that must not show. */
export const mapUrl = (port: number): string => `http://127.0.0.1:${port}/v1/connectors/service-map?token=${URL_TOKEN}`;

/** A publisher that answers as `listener` says; the test fails when a connection of it stays open. */
export async function startPublisher(listener: RequestListener): Promise<string> {
  const { port } = await startServer(listener);
  return mapUrl(port);
}

/** A publisher that writes what it likes on each connection; the test fails when one stays open. */
export async function startRawPublisher(onConnection: (socket: Socket) => void): Promise<string> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => open.delete(socket));
    socket.once("data", () => {
      onConnection(socket);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    try {
      await vi.waitFor(() => {
        expect(open.size).toBe(0);
      }, 5_000);
    } finally {
      for (const socket of open) socket.destroy();
      server.close();
    }
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("not listening on a port");
  return mapUrl(address.port);
}

/** An agent of undici's that lives as long as the test. */
export function testAgent(): Agent {
  const agent = new Agent();
  onTestFinished(async () => agent.close());
  return agent;
}

/** Node's timers, counted; the test fails when one is left waiting. */
function countedTimers(): Timers {
  let waiting = 0;
  onTestFinished(() => {
    expect(waiting).toBe(0);
  });
  return {
    after(delayMs, task) {
      let over = !(delayMs <= LONGEST_DELAY_MS);
      if (!over) waiting += 1;
      const end = (): boolean => {
        if (over) return false;
        over = true;
        waiting -= 1;
        return true;
      };
      const cancel = systemTimers.after(delayMs, () => {
        if (end()) task();
      });
      return () => {
        end();
        cancel();
      };
    },
  };
}

/** Loads with the keys above, a memory of its own and counted timers. */
export async function load(options: Partial<ConnectorServiceMapOptions> & { readonly serviceMapUrl: string }) {
  return loadConnectorServiceMap({
    apiKey: API_KEY,
    signatureKey: SIGNATURE_KEY,
    clock,
    timers: countedTimers(),
    validators: new MapValidators(),
    ...options,
  });
}

/**
 * The error of a load that must fail by `rule`: its message names the rule and, unless it is `undefined`, where; and it holds no secret, whichever
 * way it is looked at.
 */
export async function refusal(
  rule: ManifestRule,
  options: Partial<ConnectorServiceMapOptions> & { readonly serviceMapUrl: string },
): Promise<ConnectorManifestError> {
  const error: unknown = await load(options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConnectorManifestError)) throw new Error("it was no ConnectorManifestError", { cause: error });
  expect([error.rule, error.code, error.name]).toEqual([rule, "SERVICE_MAP", "ConnectorManifestError"]);
  const { origin, pathname } = new URL(options.serviceMapUrl);
  expect(error.message).toContain(`Service map ${origin}${pathname}: `);
  expect(error.message).toContain(error.reason);
  expect(error.message).toContain(`(rule: ${rule})`);
  expect(error.reason).not.toContain(origin);
  const shown = [error.message, error.reason, error.detail, error.stack, String(error.cause)].join("\n");
  for (const secret of [API_KEY, SIGNATURE_KEY, URL_TOKEN]) expect(shown).not.toContain(secret);
  return error;
}
