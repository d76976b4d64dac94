import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ClientKind, MatrixClient } from "./matrix/matrix-client.js";
import { ALONE_CLIENTS, MATRIX_CLIENTS } from "./matrix/matrix-clients.js";
import { documentOf, type Seen, type Table } from "./matrix/matrix-document.js";
import { MATRIX_OPERATIONS } from "./matrix/matrix-operations.js";
import { MATRIX_UPSTREAMS, type UpstreamKind } from "./matrix/matrix-upstreams.js";
import { PAGE_SIZE, type GatewayTrial, type Operation } from "./matrix/operation.js";
import { GATEWAY_OPERATIONS } from "./matrix/operations/gateway-operations.js";
import { SharedChanges } from "./matrix/shared-changes.js";
import { startSurfaceGateway, type SurfaceGateway } from "./support/surface-gateway.js";
import type { RunningUpstream } from "./support/running-upstream.js";

// R22: every operation, for clients of every revision over every transport, in front of every kind of upstream.

const DOCUMENT = new URL("../../../docs/compatibility.md", import.meta.url);
/** Small pages, so that lists have several; and the transport of 2024-11-05, which is off by default. */
const CONFIG = { lists: { pageSize: PAGE_SIZE }, legacySse: true };

const QUIET_OPERATIONS = MATRIX_OPERATIONS.filter(({ needsQuiet }) => needsQuiet);
/** What may be tried while others call the same server. */
const atOnce = ({ isShared }: UpstreamKind): readonly Operation[] =>
  MATRIX_OPERATIONS.filter(({ needsQuiet }) => !(isShared && needsQuiet));

const seen = new Map<string, Seen>();
const cell = (...parts: readonly string[]): string => parts.join("|");

let gateway: SurfaceGateway;
let upstreams: RunningUpstream[];
let clients: ReadonlyMap<ClientKind, MatrixClient>;
/** By connector, then by client. */
let alone: ReadonlyMap<string, ReadonlyMap<ClientKind, MatrixClient>>;
let changes: SharedChanges;

beforeAll(async () => {
  upstreams = await Promise.all(MATRIX_UPSTREAMS.map(async (kind) => kind.start()));
  gateway = await startSurfaceGateway(
    upstreams.map(({ entry }) => entry),
    CONFIG,
  );
  // All of them before the first operation: each is to hear of every change.
  clients = await connected(MATRIX_CLIENTS, gateway);
  alone = new Map(
    await Promise.all(
      MATRIX_UPSTREAMS.map(async ({ key }) => {
        const own = { ...gateway, url: `${gateway.url}/-/${key}` };
        return [key, await connected(ALONE_CLIENTS, own)] as const;
      }),
    ),
  );
  changes = new SharedChanges((key) => [...clients.values(), ...(alone.get(key)?.values() ?? [])]);
}, 120_000);

afterAll(async () => {
  try {
    const all = [clients, ...alone.values()].flatMap((each) => [...each.values()]);
    await Promise.all(all.map(async (client) => client.close()));
    await gateway.close();
  } finally {
    await Promise.all(upstreams.map(async (upstream) => upstream.close()));
  }
}, 60_000);

describe.concurrent.each(MATRIX_CLIENTS.map((kind, index) => ({ kind, index })))(
  "a client of $kind.title (R22)",
  ({ kind, index }) => {
    const clientOf = (): MatrixClient => connectedAs(kind, clients);

    describe.sequential("has of the gateway itself", () => {
      test.each(GATEWAY_OPERATIONS)("$title", async (operation) => {
        seen.set(cell(kind.title, operation.title), await tried(operation, { kind, client: clientOf(), gateway }));
      });
    });

    describe.sequential.each(MATRIX_UPSTREAMS)("has of a server of $title", (upstream) => {
      test.each(atOnce(upstream))("$title", async (operation) => triedThere(operation, kind, index, upstream));
    });
  },
);

describe.concurrent.each(ALONE_CLIENTS.map((kind, at) => ({ kind, index: MATRIX_CLIENTS.length + at })))(
  "a client of $kind.title at a connector's own address (R22)",
  ({ kind, index }) => {
    describe.sequential.each(MATRIX_UPSTREAMS)("has of a server of $title", (upstream) => {
      test.each(atOnce(upstream))("$title", async (operation) => triedAlone(operation, kind, index, upstream));
    });
  },
);

describe.each(MATRIX_UPSTREAMS.filter(({ isShared }) => isShared))(
  "one after the other, of a server of $title (R22)",
  (upstream) => {
    describe.each(QUIET_OPERATIONS)("$title", (operation) => {
      test.each(MATRIX_CLIENTS)("a client of $title", async (kind) => triedThere(operation, kind, 0, upstream));
      test.each(ALONE_CLIENTS)("a client of $title at its own address", async (kind) =>
        triedAlone(operation, kind, 0, upstream),
      );
    });
  },
);

test("no client has heard an answer or progress of anything that it did not ask for (R22)", () => {
  const all = [clients, ...alone.values()].flatMap((each) => [...each.values()]);
  expect(all.flatMap(({ raw }) => raw.strays)).toEqual([]);
});

test("docs/compatibility.md says what was seen: pnpm compatibility writes it anew (R22)", async () => {
  const written = documentOf([
    {
      title: "The gateway itself",
      about: "What a client has of the gateway, whatever is behind it.",
      columns: columnsOf(MATRIX_CLIENTS),
      rows: GATEWAY_OPERATIONS.map(({ title }) => ({
        title,
        cells: MATRIX_CLIENTS.map((kind) => seen.get(cell(kind.title, title))),
      })),
    },
    ...MATRIX_UPSTREAMS.map(({ key, title }): Table => ({
      title,
      about: "",
      columns: columnsOf(MATRIX_CLIENTS),
      rows: rowsOf(MATRIX_CLIENTS.map((kind) => [kind.title, key])),
      isConnector: true,
    })),
    ...ALONE_CLIENTS.map((kind): Table => ({
      title: `A connector by itself: a client of ${kind.title}`,
      about: "At `/mcp/-/<key>` a connector has its own names and nothing beside it.",
      columns: MATRIX_UPSTREAMS.map(({ title }) => title),
      rows: rowsOf(MATRIX_UPSTREAMS.map(({ key }) => ["alone", kind.title, key])),
    })),
  ]);
  if (process.env["CORTEX_WRITE_COMPATIBILITY"] === "1") await writeFile(DOCUMENT, written);
  expect(await readFile(DOCUMENT, "utf8")).toBe(written);
});

async function triedThere(
  operation: Operation,
  kind: ClientKind,
  index: number,
  upstream: UpstreamKind,
): Promise<void> {
  const trial = { kind, client: connectedAs(kind, clients), gateway, index, upstream, changes, isAlone: false };
  seen.set(cell(kind.title, upstream.key, operation.title), await tried(operation, trial));
}

async function triedAlone(
  operation: Operation,
  kind: ClientKind,
  index: number,
  upstream: UpstreamKind,
): Promise<void> {
  const client = connectedAs(kind, alone.get(upstream.key));
  const trial = { kind, client, gateway, index, upstream, changes, isAlone: true };
  seen.set(cell("alone", kind.title, upstream.key, operation.title), await tried(operation, trial));
}

function connectedAs(kind: ClientKind, among: ReadonlyMap<ClientKind, MatrixClient> | undefined): MatrixClient {
  const client = among?.get(kind);
  if (client === undefined) throw new Error(`${kind.title} is not connected`);
  return client;
}

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

const columnsOf = (kinds: readonly ClientKind[]): readonly string[] => kinds.map(({ title }) => title);

/** What was seen of the operations. @param columns what was in front of what */
function rowsOf(columns: readonly (readonly string[])[]): Table["rows"] {
  return MATRIX_OPERATIONS.map(({ title }) => ({
    title,
    cells: columns.map((column) => seen.get(cell(...column, title))),
  }));
}

async function connected(
  kinds: readonly ClientKind[],
  to: SurfaceGateway,
): Promise<ReadonlyMap<ClientKind, MatrixClient>> {
  return new Map(await Promise.all(kinds.map(async (kind) => [kind, await kind.connect(to)] as const)));
}
