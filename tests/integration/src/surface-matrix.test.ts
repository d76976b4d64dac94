import { mkdir, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, test } from "vitest";
import { SURFACE_CLIENTS, type SurfaceClient } from "./support/surface-clients.js";
import { startSurfaceGateway, type SurfaceGateway } from "./support/surface-gateway.js";
import { SURFACE_OPERATIONS } from "./support/surface-operations.js";
import { SURFACE_UPSTREAMS } from "./support/surface-upstreams.js";
import type { RunningUpstream } from "./support/upstreams.js";

// R22: every method that a client has, of both SDKs over both transports, in front of every kind of upstream.

/** Small pages, so that every list has several. */
const CONFIG = { lists: { pageSize: 7 } };
const OPERATIONS = Object.keys(SURFACE_OPERATIONS);
const passed = new Set<string>();
const cell = (...parts: readonly string[]): string => parts.join("|");

let gateway: SurfaceGateway;
let upstreams: RunningUpstream[];

beforeAll(async () => {
  upstreams = await Promise.all(Object.values(SURFACE_UPSTREAMS).map(async (start) => start()));
  gateway = await startSurfaceGateway(
    upstreams.map(({ entry }) => entry),
    CONFIG,
  );
}, 60_000);

afterAll(async () => {
  const table = tableOf();
  process.stdout.write(`\n${table}\n`);
  await mkdir("reports", { recursive: true });
  await writeFile("reports/surface-matrix.md", table);
  try {
    await gateway.close();
  } finally {
    await Promise.all(upstreams.map(async (upstream) => upstream.close()));
  }
}, 60_000);

describe.each(Object.entries(SURFACE_CLIENTS))("a client of the %s (R22)", (clientName, connect) => {
  let client: SurfaceClient;

  beforeAll(async () => {
    client = await connect(gateway);
  }, 60_000);

  afterAll(async () => {
    await client.close();
  });

  describe.each(Object.keys(SURFACE_UPSTREAMS))("in front of %s", (upstream) => {
    test.each(Object.entries(SURFACE_OPERATIONS))("%s", { timeout: 30_000 }, async (operation, attempt) => {
      await attempt({ client, upstream });
      passed.add(cell(clientName, upstream, operation));
    });
  });
});

function tableOf(): string {
  const clients = Object.keys(SURFACE_CLIENTS);
  const rows = Object.keys(SURFACE_UPSTREAMS).flatMap((upstream) =>
    OPERATIONS.map((operation) => {
      const marks = clients.map((client) => (passed.has(cell(client, upstream, operation)) ? "pass" : "FAIL"));
      return `| ${upstream} | ${operation} | ${marks.join(" | ")} |`;
    }),
  );
  return [
    `| upstream | operation | ${clients.join(" | ")} |`,
    `| --- | --- | ${clients.map(() => "---").join(" | ")} |`,
    ...rows,
    "",
  ].join("\n");
}
