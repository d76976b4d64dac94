import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EVERYTHING_SERVERS } from "./support/everything-server.js";
import { REAL_CLIENTS, type RealClient } from "./support/real-clients.js";
import type { RunningUpstream } from "./support/running-upstream.js";
import { startTestGateway, type TestGateway } from "./support/test-gateway.js";

// R22 is held by compatibility.test.ts, in front of our own fixture. Here a server that others wrote shows that it is not only ours.

const LONG = "everything__trigger-long-running-operation";

describe.each(Object.entries(EVERYTHING_SERVERS))(
  "in front of server-everything over %s (R22)",
  (_transport, start) => {
    let gateway: TestGateway;
    let upstream: RunningUpstream;

    beforeAll(async () => {
      upstream = await start();
      gateway = await startTestGateway([upstream.entry]);
    });

    afterAll(async () => {
      await gateway.close();
      await upstream.close();
    });

    describe.each(Object.entries(REAL_CLIENTS))("a client of the %s", (_sdk, connect) => {
      let client: RealClient;

      beforeAll(async () => {
        client = await connect(gateway.url);
      });

      afterAll(async () => {
        await client.close();
      });

      test("lists its tools, and calls one", async () => {
        expect(await client.tools()).toEqual(expect.arrayContaining(["everything__echo", LONG]));
        const result = await client.call("everything__echo", { message: "through the gateway" });
        expect(result).toMatchObject({ text: "Echo: through the gateway", isError: false });
      });

      test("hears its progress", async () => {
        const heard: number[] = [];
        await client.call(LONG, { duration: 0.2, steps: 4 }, { onProgress: (progress) => heard.push(progress) });
        expect(heard).toEqual([1, 2, 3, 4]);
      });

      test("cancels a call, and goes on calling", async () => {
        const abort = new AbortController();
        let begun = (): void => {};
        const running = new Promise<void>((resolve) => {
          begun = resolve;
        });
        const endless = { duration: 600, steps: 6_000 };
        const call = client.call(LONG, endless, { signal: abort.signal, onProgress: () => begun() });
        const outcome = expect(call).rejects.toThrow(/changed my mind|abort/i);
        await running;
        abort.abort("changed my mind");
        await outcome;
        expect(await client.call("everything__echo", { message: "on" })).toMatchObject({ isError: false });
      });
    });
  },
);
