import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { startFixtureHttp } from "@cortex-os/fixture-server";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { startGateway, type GatewayProcess } from "./support/gateway-process.js";
import { publishing, switchedPublisher } from "./support/map-publishers.js";
import { connector } from "./support/map-text.js";
import { programHome, type ProgramHome } from "./support/program-home.js";

const WAIT = { timeout: 20_000, interval: 20 };
const KEYS = ["first-canary-credential-of-connectors", "second-canary-credential-of-connectors"] as const;

/** An upstream that writes down every byte that anybody sends it, and answers each request with what it is given. */
async function recorder(answer: string) {
  const heard: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    socket.on("data", (bytes) => {
      heard.push(bytes);
      socket.end(answer);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  const origin = `http://127.0.0.1:${address.port}`;
  return { origin, url: `${origin}/mcp`, heard: () => Buffer.concat(heard).toString("latin1") };
}

const refusing = async () => recorder("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");

const bearer = { auth: { type: "bearer" } };
const apiKey = { auth: { type: "apiKey", headerName: "X-Api-Key" } };

/** Everything of a gateway that a person may see or a backup may take. */
async function shown(home: ProgramHome, gateway: GatewayProcess): Promise<string> {
  const commands = [
    ["status", "--json"],
    ["list", "--json"],
    ["get", "mine", "--show-secrets"],
    ["map", "diff"],
  ];
  const said: string[] = [];
  for (const words of commands) {
    const { out, err } = await home.run(...words);
    said.push(out, err);
  }
  const folder = join(home.folder, "mcp");
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) said.push(await readFile(join(entry.parentPath, entry.name), "utf8"));
  }
  return [...said, ...gateway.log, await gateway.metrics(), JSON.stringify(await gateway.status())].join("\n");
}

describe("R8: CONNECTORS_API_KEY goes where local configuration says, whatever the map says", () => {
  test("two gateways of one map with a key each: no key reaches an origin that is not its gateway's", async () => {
    const [mine, yours, foreign] = [await refusing(), await refusing(), await refusing()];
    const open = await startFixtureHttp();
    onTestFinished(() => open.close());
    // What is trusted may send us on to what is not.
    const redirecting = await recorder(
      `HTTP/1.1 307 Temporary Redirect\r\nLocation: ${foreign.url}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
    );
    const publisher = await publishing([
      connector("mine", mine.url, bearer),
      connector("yours", yours.url, apiKey),
      connector("redirecting", redirecting.url, bearer),
      connector("greedy", foreign.url, bearer),
      connector("greedier", foreign.url, { auth: { type: "apiKey", headerName: "X-Stolen" } }),
      connector("plain", foreign.url),
      connector("open", open.url),
    ]);
    const started = await Promise.all(
      [mine, yours].map(async ({ origin }, at) => {
        const home = await programHome({
          ...publisher.env,
          CONNECTORS_API_KEY: KEYS[at] ?? "",
          CORTEX_MCP_SERVICE_MAP_CREDENTIAL_ORIGINS: [origin, redirecting.origin].join(),
          CORTEX_MCP_LOG_LEVEL: "debug",
        });
        return { home, gateway: await startGateway(home) };
      }),
    );
    const notAllowed = expect.stringMatching(/^down: .+may not get CONNECTORS_API_KEY; add it to/) as string;
    for (const [at, { gateway }] of started.entries()) {
      await vi.waitFor(async () => {
        expect(await gateway.states()).toEqual({
          ...{ mine: expect.stringMatching(/^down/), yours: expect.stringMatching(/^down/) },
          ...{ redirecting: expect.stringMatching(/^down/), plain: expect.stringMatching(/^down/), open: "up" },
          ...{ greedy: notAllowed, greedier: notAllowed },
          [at === 0 ? "yours" : "mine"]: notAllowed,
        });
      }, WAIT);
    }
    await vi.waitFor(() => {
      expect(mine.heard()).toContain(`Bearer ${KEYS[0]}`);
      expect(yours.heard()).toContain(KEYS[1]);
      for (const key of KEYS) expect(redirecting.heard()).toContain(`Bearer ${key}`);
      expect(foreign.heard()).not.toBe("");
    }, WAIT);
    expect(mine.heard()).not.toContain(KEYS[1]);
    expect(yours.heard()).not.toContain(KEYS[0]);
    // Its own bytes, and those of the redirect: none of either carries a key, in whatever header.
    expect(foreign.heard()).not.toMatch(/canary|authorization|x-stolen/i);
    for (const { home, gateway } of started) expect(await shown(home, gateway)).not.toMatch(/canary/);
    process.stdout.write(
      `credentials: ${foreign.heard().length} bytes at an origin that may get none, 0 of a key; ${mine.heard().length + yours.heard().length} where it may go\n`,
    );
  });

  test("nor the publisher, when its origin is not among those that may get it", async () => {
    const headers: string[] = [];
    const publisher = await switchedPublisher();
    publisher.behave((request, response) => {
      headers.push(...request.rawHeaders);
      response.writeHead(401).end();
    });
    const home = await programHome({
      ...publisher.env,
      CONNECTORS_API_KEY: KEYS[0],
      CORTEX_MCP_SERVICE_MAP_CREDENTIAL_ORIGINS: "https://tools.example",
    });
    await startGateway(home);
    await vi.waitFor(() => expect(publisher.asked).toBeGreaterThan(1), WAIT);
    expect(headers.join("\n")).not.toMatch(/canary|authorization/i);
  });
});
