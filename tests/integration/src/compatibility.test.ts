import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ClientKind, MatrixClient } from "./matrix/matrix-client.js";
import { MATRIX_CLIENTS } from "./matrix/matrix-clients.js";
import { documentOf, type Seen, type Table } from "./matrix/matrix-document.js";
import { MATRIX_OPERATIONS } from "./matrix/matrix-operations.js";
import { MATRIX_UPSTREAMS } from "./matrix/matrix-upstreams.js";
import type { GatewayTrial, Operation } from "./matrix/operation.js";
import { GATEWAY_OPERATIONS } from "./matrix/operations/gateway-operations.js";
import { SharedChanges } from "./matrix/shared-changes.js";
import { startSurfaceGateway, type SurfaceGateway } from "./support/surface-gateway.js";
import type { RunningUpstream } from "./support/running-upstream.js";

// R22: every operation, for clients of every revision over every transport, in front of every kind of upstream.

const DOCUMENT = new URL("../../../docs/compatibility.md", import.meta.url);
/** Small pages, so that lists have several; and the transport of 2024-11-05, which is off by default. */
const CONFIG = { lists: { pageSize: 60 }, legacySse: true };

const seen = new Map<string, Seen>();
const cell = (...parts: readonly string[]): string => parts.join("|");

let gateway: SurfaceGateway;
let upstreams: RunningUpstream[];
let clients: ReadonlyMap<ClientKind, MatrixClient>;
let changes: SharedChanges;

beforeAll(async () => {
  upstreams = await Promise.all(MATRIX_UPSTREAMS.map(async (kind) => kind.start()));
  gateway = await startSurfaceGateway(
    upstreams.map(({ entry }) => entry),
    CONFIG,
  );
  // All of them before the first operation: each is to hear of every change.
  clients = new Map(
    await Promise.all(MATRIX_CLIENTS.map(async (kind) => [kind, await kind.connect(gateway)] as const)),
  );
  changes = new SharedChanges([...clients.values()]);
}, 120_000);

afterAll(async () => {
  try {
    await Promise.all([...clients.values()].map(async (client) => client.close()));
    await gateway.close();
  } finally {
    await Promise.all(upstreams.map(async (upstream) => upstream.close()));
  }
}, 60_000);

describe.concurrent.each(MATRIX_CLIENTS.map((kind, index) => ({ kind, index })))(
  "a client of $kind.title (R22)",
  ({ kind, index }) => {
    const clientOf = (): MatrixClient => {
      const client = clients.get(kind);
      if (client === undefined) throw new Error(`${kind.title} is not connected`);
      return client;
    };

    describe.sequential("has of the gateway itself", () => {
      test.each(GATEWAY_OPERATIONS)("$title", async (operation) => {
        seen.set(cell(kind.title, operation.title), await tried(operation, { kind, client: clientOf(), gateway }));
      });
    });

    describe.sequential.each(MATRIX_UPSTREAMS)("has of a server of $title", (upstream) => {
      test.each(MATRIX_OPERATIONS)("$title", async (operation) => {
        const trial = { kind, client: clientOf(), gateway, index, upstream, changes };
        seen.set(cell(kind.title, upstream.key, operation.title), await tried(operation, trial));
      });
    });

    test("hears nothing that it did not ask for", () => {
      expect(clientOf().raw.strays).toEqual([]);
    });
  },
);

test("docs/compatibility.md says what was seen: pnpm compatibility writes it anew (R22)", async () => {
  const written = documentOf(
    MATRIX_CLIENTS,
    {
      title: "The gateway itself",
      about: "What a client has of the gateway, whatever is behind it.",
      rows: rowsOf(GATEWAY_OPERATIONS),
    },
    MATRIX_UPSTREAMS.map(({ key, title }): Table => ({
      title: `In front of ${title}`,
      about: "",
      rows: rowsOf(MATRIX_OPERATIONS, key),
    })),
  );
  if (process.env["CORTEX_WRITE_COMPATIBILITY"] === "1") await writeFile(DOCUMENT, written);
  expect(await readFile(DOCUMENT, "utf8")).toBe(written);
});

/** Tries an operation, and expects of it what its table says. */
async function tried<T extends GatewayTrial>(operation: Operation<T>, trial: T): Promise<Seen> {
  const refusal = operation.refusal?.(trial);
  if (refusal === undefined) {
    await operation.works(trial);
    return { works: true, reason: operation.note?.(trial) };
  }
  if (operation.refused === undefined) throw new Error(`how "${operation.title}" is refused is not tested`);
  await operation.refused(trial);
  return { works: false, reason: refusal };
}

function rowsOf(operations: readonly { readonly title: string }[], ...keys: readonly string[]): Table["rows"] {
  return operations.map(({ title }) => ({
    title,
    cells: MATRIX_CLIENTS.map((kind) => seen.get(cell(kind.title, ...keys, title))),
  }));
}
