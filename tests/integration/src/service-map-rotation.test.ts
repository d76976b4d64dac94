import { copyFile, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startFixtureHttp } from "@cortex-os/fixture-server";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { startGateway, type GatewayProcess } from "./support/gateway-process.js";
import { connector } from "./support/map-text.js";
import { programHome } from "./support/program-home.js";
import { switchedFront } from "./support/switched-front.js";

const WAIT = { timeout: 30_000, interval: 20 };

const total = async (gateway: GatewayProcess): Promise<number> =>
  Object.values(await gateway.fetches()).reduce((sum, count) => sum + count, 0);

/** Waits until the gateway fetched so many times more. */
async function moreFetches(gateway: GatewayProcess, atLeast: number): Promise<void> {
  const before = await total(gateway);
  await vi.waitFor(async () => expect(await total(gateway)).toBeGreaterThanOrEqual(before + atLeast), WAIT);
}

describe("R2: keys rotate while the map is fetched every 100 ms", () => {
  test.each(["ed25519", "hmac"])(
    "%s: no refresh fails, and nothing is started anew but the publisher",
    async (type) => {
      const server = await startFixtureHttp();
      onTestFinished(() => server.close());
      const front = await switchedFront();
      const home = await programHome();
      const [manifest, keys, gatewayKeys] = ["manifest.json", "keys.json", "gateway-keys.json"].map((name) =>
        join(home.folder, name),
      ) as [string, string, string];
      await writeFile(manifest, JSON.stringify({ brand: "brAInwav", connectors: [connector("docs", server.url)] }));
      const keygen = async (...words: readonly string[]): Promise<void> => {
        const publicSet = type === "ed25519" ? ["--public", gatewayKeys] : [];
        const made = await home.run("map", "keygen", "--type", type, "--out", keys, ...publicSet, ...words);
        expect(made).toMatchObject({ code: 0, err: "" });
        if (type === "ed25519") return;
        // Of an HMAC key there is no public half.
        await copyFile(keys, `${gatewayKeys}.new`);
        await rename(`${gatewayKeys}.new`, gatewayKeys);
      };
      const publish = async (kid: string) => {
        const publisher = await home.serving(["map", "serve", manifest, "--keys", keys, "--kid", kid, "--port", "0"]);
        front.lead(new URL(publisher.url).origin);
        return publisher;
      };
      const signedWith = async (gateway: GatewayProcess, kid: string): Promise<void> => {
        await vi.waitFor(async () => expect(await gateway.map()).toMatchObject({ keyId: kid, state: "fresh" }), WAIT);
      };

      await keygen("--kid", "first");
      const first = await publish("first");
      const gateway = await startGateway(home, {
        env: {
          CONNECTORS_SERVICE_MAP_URL: first.url.replace(new URL(first.url).origin, front.origin),
          CONNECTORS_KEYS_FILE: gatewayKeys,
          MCP_CONNECTOR_REFRESH_INTERVAL_MS: "100",
        },
      });
      await signedWith(gateway, "first");
      await moreFetches(gateway, 5);

      await keygen("--kid", "second", "--add");
      await moreFetches(gateway, 5);
      await publish("second");
      expect(await first.stop()).toBe(0);
      await signedWith(gateway, "second");

      const { keys: both } = JSON.parse(await readFile(gatewayKeys, "utf8")) as { keys: readonly { kid: string }[] };
      expect(both.map(({ kid }) => kid)).toEqual(["first", "second"]);
      await writeFile(`${gatewayKeys}.new`, JSON.stringify({ keys: both.slice(1) }));
      await rename(`${gatewayKeys}.new`, gatewayKeys);
      await moreFetches(gateway, 5);

      await signedWith(gateway, "second");
      expect(await gateway.states()).toEqual({ docs: "up" });
      const { changed, unchanged, held, refused, unreachable } = await gateway.fetches();
      expect({ held, refused, unreachable }).toEqual({ held: 0, refused: 0, unreachable: 0 });
      expect(gateway.log.filter((line) => /"level":"(warn|error)"/.test(line))).toEqual([]);
      expect(JSON.parse((await home.run("status", "--json")).out)).toMatchObject({ pid: gateway.pid });
      process.stdout.write(
        `rotation, ${type}: ${changed + unchanged} fetches, 0 failed, ${changed} maps taken, gateway never restarted\n`,
      );
    },
    60_000,
  );
});
