import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { startFixtureHttp, stdioMainPath, type FixtureHttp } from "@cortex-os/fixture-server";
import type { ServerInfo } from "@cortex-os/mcp-core";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { startGateway, type GatewayProcess } from "./support/gateway-process.js";
import { listBytes } from "./support/list-bytes.js";
import { programHome, type ProgramHome } from "./support/program-home.js";
import { connectLegacyClient, connectModernClient } from "./support/real-clients.js";

const WAIT = { timeout: 20_000, interval: 20 };

async function fixture(): Promise<FixtureHttp> {
  const server = await startFixtureHttp({ extraTools: 5 });
  onTestFinished(async () => server.close());
  return server;
}

/** Takes the place of a server: connections are accepted, and nothing is said. */
async function deafAt({ port }: FixtureHttp): Promise<void> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    onTestFinished(() => {
      socket.destroy();
    });
  }).listen(port, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.close();
    await Promise.resolve();
  });
}

const catalogFolder = ({ folder }: ProgramHome): string => join(folder, "mcp", "state", "catalog");

const storedFiles = async (home: ProgramHome): Promise<string[]> =>
  (await readdir(catalogFolder(home))).filter((name) => name.endsWith(".json"));

/** A gateway that listed everything and stored it; what it lists. */
async function filled(home: ProgramHome, servers: readonly ServerInfo[]): Promise<[GatewayProcess, Buffer]> {
  await home.writeRegistry(servers);
  const gateway = await startGateway(home);
  const bytes = await listBytes(gateway.url);
  await vi.waitFor(async () => expect(await storedFiles(home)).toHaveLength(servers.length), WAIT);
  return [gateway, bytes];
}

describe("a gateway that was killed and started anew", () => {
  test("R23: lists the same bytes to clients of both eras, ready at once, while an upstream says nothing; a call connects what it needs", async () => {
    const home = await programHome();
    const [silent, web] = [await fixture(), await fixture()];
    const [before, bytes] = await filled(home, [
      { name: "silent", endpoint: silent.url },
      { name: "web", endpoint: web.url },
      { name: "child", command: process.execPath, args: [stdioMainPath, "--era", "legacy"] },
    ]);
    await before.stop("SIGKILL");
    await silent.close();
    await deafAt(silent);

    const gateway = await startGateway(home);
    const ready = await fetch(new URL("/readyz", gateway.url));
    expect(ready.status).toBe(200);
    expect((await listBytes(gateway.url)).equals(bytes)).toBe(true);
    expect(await gateway.states()).toMatchObject({ silent: "connecting" });
    for (const connect of [connectModernClient, connectLegacyClient]) {
      const client = await connect(gateway.url);
      onTestFinished(async () => client.close());
      expect(await client.tools()).toContain("silent__echo");
      for (const name of ["web__echo", "child__echo"])
        expect((await client.call(name, { message: "warm" })).text).toBe("warm");
    }
    await vi.waitFor(async () => expect(await gateway.states()).toMatchObject({ web: "up", child: "up" }), WAIT);
    expect((await listBytes(gateway.url)).equals(bytes)).toBe(true);
    process.stdout.write(
      `\n${bytes.length} bytes, the same before and after a kill, with one of three connectors silent\n`,
    );
  });

  test("R23: what was damaged or cut short meanwhile is never served: those connectors are listed anew, to the same bytes", async () => {
    const home = await programHome();
    const servers = await Promise.all([fixture(), fixture(), fixture()]);
    const [before, bytes] = await filled(
      home,
      servers.map(({ url }, at) => ({ name: `web${at}`, endpoint: url })),
    );
    await before.stop("SIGKILL");
    const [flipped = "", cut = ""] = (await storedFiles(home)).map((name) => join(catalogFolder(home), name));
    const sound = await readFile(flipped, "utf8");
    await writeFile(flipped, sound.replace('"echo"', '"ehco"'));
    await writeFile(cut, (await readFile(cut, "utf8")).slice(0, 500));

    const gateway = await startGateway(home);
    expect((await listBytes(gateway.url)).equals(bytes)).toBe(true);
    const dropped = gateway.log.filter((line) => line.includes("Stored lists of a connector are dropped"));
    expect(dropped).toHaveLength(2);
    await vi.waitFor(async () => expect(await storedFiles(home)).toHaveLength(3), WAIT);
    expect(await readFile(flipped, "utf8")).not.toContain("ehco");
  });

  test("what an upstream changed meanwhile reaches connected clients when it is back", async () => {
    const home = await programHome();
    const web = await fixture();
    const [before] = await filled(home, [{ name: "web", endpoint: web.url }]);
    await before.stop("SIGKILL");
    await web.close();

    const gateway = await startGateway(home);
    const client = await connectModernClient(gateway.url);
    onTestFinished(async () => client.close());
    let told = 0;
    await client.onToolsChanged(() => (told += 1));
    const tools = await client.tools();
    expect(tools.length).toBeGreaterThan(5);
    const back = await startFixtureHttp({ port: web.port });
    onTestFinished(async () => back.close());
    await vi.waitFor(async () => expect(await client.tools()).toHaveLength(tools.length - 5), WAIT);
    await vi.waitFor(() => expect(told).toBeGreaterThan(0), WAIT);
  });
});

test("issue 4: what is written into config.json is in connected clients' lists by itself, and reload tells what there was to do", async () => {
  const home = await programHome();
  const web = await fixture();
  await home.writeRegistry([{ name: "web", endpoint: web.url }]);
  const gateway = await startGateway(home);
  const clients = [await connectModernClient(gateway.url), await connectLegacyClient(gateway.url)];
  const listed = new Set<number>();
  for (const [at, client] of clients.entries()) {
    onTestFinished(async () => client.close());
    await client.onToolsChanged(() => {
      void client.tools().then((names) => {
        if (names.includes("web.echo")) listed.add(at);
      });
    });
    expect(await client.tools()).toContain("web__echo");
  }
  const running = clients.map(async (client) => client.call("web__slow", { ms: 1_000 }));
  const started = performance.now();
  await writeFile(join(home.folder, "mcp", "config.json"), JSON.stringify({ names: { separator: "." }, drainMs: 1 }));
  await vi.waitFor(() => expect(listed.size).toBe(2), { ...WAIT, interval: 2 });
  process.stdout.write(
    `\nmilliseconds from writing config.json to both clients' lists: ${Math.round(performance.now() - started)}\n`,
  );
  for (const call of running) expect((await call).text).toContain("took 1000 ms");
  const reload = await home.run("reload");
  expect(reload).toMatchObject({ code: 0, err: "" });
  expect(reload.out).toContain("Needs a restart to take effect: drainMs.");
});
