import { mkdir, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { REAL_CLIENTS, type RealClient } from "./support/real-clients.js";
import { startTestGateway, type TestGateway } from "./support/test-gateway.js";
import { UPSTREAM_KINDS, type RunningUpstream } from "./support/upstreams.js";

/** R22, the tools' part: real clients of both eras against real upstreams of both eras and transports. */
const OPERATIONS = ["list", "call", "progress", "cancel"] as const;
const passed = new Set<string>();
const cell = (client: string, upstream: string, operation: string): string => `${client}|${upstream}|${operation}`;

let gateway: TestGateway;
let upstreams: RunningUpstream[];

beforeAll(async () => {
  upstreams = await Promise.all(Object.values(UPSTREAM_KINDS).map(async (kind) => kind.start()));
  gateway = await startTestGateway(upstreams.map(({ entry }) => entry));
});

afterAll(async () => {
  await gateway.close();
  await Promise.all(upstreams.map(async (upstream) => upstream.close()));
  const table = tableOf(passed);
  process.stdout.write(`\n${table}\n`);
  await mkdir("reports", { recursive: true });
  await writeFile("reports/matrix.md", table);
});

describe.each(Object.entries(REAL_CLIENTS))("a client of the %s (R22)", (clientName, connect) => {
  let client: RealClient;

  beforeAll(async () => {
    client = await connect(gateway.url);
  });

  afterAll(async () => {
    await client.close();
  });

  describe.each(Object.entries(UPSTREAM_KINDS))("in front of %s", (upstreamName, kind) => {
    const pass = (operation: (typeof OPERATIONS)[number]): void => {
      passed.add(cell(clientName, upstreamName, operation));
    };
    const publicName = (tool: string): string => `${kind.name}__${tool}`;

    test("lists its tools", async () => {
      const names = await client.tools();
      expect(names).toContain(publicName(kind.echo.tool));
      expect(names).toContain(publicName(kind.slow.tool));
      pass("list");
    });

    test("calls one", async () => {
      const result = await client.call(publicName(kind.echo.tool), kind.echo.args);
      expect(result).toMatchObject({ text: kind.echo.expected, isError: false });
      pass("call");
    });

    test("hears its progress", async () => {
      const heard: number[] = [];
      await client.call(publicName(kind.slow.tool), kind.slow.args, { onProgress: (progress) => heard.push(progress) });
      expect(heard).toEqual(Array.from({ length: kind.slow.steps }, (_, step) => step + 1));
      pass("progress");
    });

    const counts = kind.counts;
    test.runIf(counts)("cancels a call, and the upstream hears of it", async () => {
      const before = await callCounts(client, kind.name);
      const abort = new AbortController();
      const call = client.call(publicName(kind.endless.tool), kind.endless.args, { signal: abort.signal });
      const outcome = expect(call).rejects.toThrow(/changed my mind|abort/i);
      // Only a call that has arrived can be cancelled there.
      await vi.waitFor(async () => {
        expect(await callCounts(client, kind.name)).toMatchObject({ inFlight: before.inFlight + 1 });
      });
      abort.abort("changed my mind");
      await outcome;
      await vi.waitFor(
        async () => {
          const now = await callCounts(client, kind.name);
          expect(now).toMatchObject({ cancelled: before.cancelled + 1, inFlight: before.inFlight });
        },
        { timeout: 5_000 },
      );
      pass("cancel");
    });

    test.runIf(!counts)("cancels a call, and goes on calling", async () => {
      const abort = new AbortController();
      let begun = (): void => {};
      const running = new Promise<void>((resolve) => {
        begun = resolve;
      });
      const call = client.call(publicName(kind.endless.tool), kind.endless.args, {
        signal: abort.signal,
        onProgress: () => begun(),
      });
      const outcome = expect(call).rejects.toThrow(/changed my mind|abort/i);
      await running;
      abort.abort("changed my mind");
      await outcome;
      expect(await client.call(publicName(kind.echo.tool), kind.echo.args)).toMatchObject({ isError: false });
      pass("cancel");
    });
  });
});

interface CallCounts {
  readonly cancelled: number;
  readonly inFlight: number;
}

/** What our own fixture counted; a published server does not count. */
async function callCounts(client: RealClient, connector: string): Promise<CallCounts> {
  const { structured } = await client.call(`${connector}__cancelled`, {});
  return structured as CallCounts;
}

function tableOf(cells: ReadonlySet<string>): string {
  const rows = Object.keys(REAL_CLIENTS).flatMap((client) =>
    Object.keys(UPSTREAM_KINDS).map((upstream) => {
      const marks = OPERATIONS.map((operation) => (cells.has(cell(client, upstream, operation)) ? "pass" : "FAIL"));
      const note = UPSTREAM_KINDS[upstream]?.counts === true ? "" : ` (seen by the client only)`;
      return `| ${client} | ${upstream} | ${marks.join(" | ")}${note} |`;
    }),
  );
  return [
    `| client | upstream | ${OPERATIONS.join(" | ")} |`,
    `| --- | --- | ${OPERATIONS.map(() => "---").join(" | ")} |`,
    ...rows,
    "",
  ].join("\n");
}
