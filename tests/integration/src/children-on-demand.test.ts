import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stdioMainPath } from "@cortex-os/fixture-server";
import type { ServerInfo } from "@cortex-os/mcp-core";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { startGateway, type GatewayProcess } from "./support/gateway-process.js";
import { listBytes } from "./support/list-bytes.js";
import { processesMarked } from "./support/marked-processes.js";
import { programHome, type ProgramHome } from "./support/program-home.js";
import { connectLegacyClient, connectModernClient } from "./support/real-clients.js";

const WAIT = { timeout: 20_000, interval: 20 };
const ASLEEP = expect.stringContaining("the next request starts it");

/** A server over stdio that leaves a line in a file each time it is started. */
function childOf({ folder, mark }: ProgramHome, name: string, more: Partial<ServerInfo> = {}) {
  const journal = join(folder, `${name}.starts`);
  const [key = "", value = ""] = mark.split("=");
  const own = `${key}=${value}-${name}`;
  const script = `echo started >> ${journal}; exec ${process.execPath} ${stdioMainPath} --tools 3`;
  const entry: ServerInfo = {
    name,
    command: "sh",
    args: ["-c", script],
    env: { [key]: `${value}-${name}` },
    ...more,
  };
  return {
    entry,
    starts: async () => (await readFile(journal, "utf8").catch(() => "")).split("\n").length - 1,
    running: () => processesMarked(own).length > 0,
  };
}

/** A home in which children start on demand and are stopped soon. */
async function sleepyHome(children: object): Promise<ProgramHome> {
  const home = await programHome();
  await mkdir(join(home.folder, "mcp"), { recursive: true });
  await writeFile(join(home.folder, "mcp", "config.json"), JSON.stringify({ children }));
  return home;
}

const noteOf = async (gateway: GatewayProcess, key: string): Promise<string | undefined> =>
  (await gateway.status()).connectors.find((connector) => connector.key === key)?.note;

describe("R18: children that are stopped while nothing is asked of them", () => {
  test("leave no process, stay in the lists to the byte, are up for operators, and the next call has them at once", async () => {
    const home = await sleepyHome({ idleMs: 200 });
    const kid = childOf(home, "kid");
    const awake = childOf(home, "awake", { children: { idleMs: 0 } });
    await home.writeRegistry([kid.entry, awake.entry]);
    const gateway = await startGateway(home);
    const bytes = await listBytes(gateway.url);
    await vi.waitFor(() => expect(kid.running()).toBe(false), WAIT);
    expect([await kid.starts(), await awake.starts(), awake.running()]).toEqual([1, 1, true]);

    expect((await listBytes(gateway.url)).equals(bytes)).toBe(true);
    expect((await fetch(new URL("/readyz", gateway.url))).status).toBe(200);
    expect(await gateway.states()).toEqual({ kid: "up", awake: "up" });
    expect([await noteOf(gateway, "kid"), await noteOf(gateway, "awake")]).toEqual([ASLEEP, undefined]);
    expect((await home.run("status")).out).toContain("kid: its process is not running: the next request starts it");
    const metrics = await gateway.metrics();
    expect(metrics).toContain('brainwav_mcp_connector_proxy_up{connector="kid"} 1');
    expect(metrics).toContain('brainwav_mcp_connector_failures_total{connector="kid"} 0');

    for (const connect of [connectModernClient, connectLegacyClient]) {
      const client = await connect(gateway.url);
      onTestFinished(async () => client.close());
      await vi.waitFor(() => expect(kid.running()).toBe(false), WAIT);
      const before = await kid.starts();
      const together = await Promise.all(["a", "b", "c"].map(async (message) => client.call("kid__echo", { message })));
      expect(together.map(({ text }) => text)).toEqual(["a", "b", "c"]);
      expect(await kid.starts()).toBe(before + 1);
      // Longer than it may be idle: it is not.
      expect(await client.call("kid__slow", { ms: 800 })).toMatchObject({ isError: false });
    }
    await vi.waitFor(() => expect(kid.running()).toBe(false), WAIT);
    expect((await listBytes(gateway.url)).equals(bytes)).toBe(true);
  });
});

describe("R18: children on demand", () => {
  test("a gateway that was started anew serves its lists before any was started, and starts the one that is called", async () => {
    const home = await sleepyHome({ start: "onDemand" });
    const [one, two] = [childOf(home, "one"), childOf(home, "two")];
    await home.writeRegistry([one.entry, two.entry]);
    const before = await startGateway(home);
    const bytes = await listBytes(before.url);
    expect([await one.starts(), await two.starts()]).toEqual([1, 1]);
    await before.stop();

    const gateway = await startGateway(home);
    expect((await fetch(new URL("/readyz", gateway.url))).status).toBe(200);
    expect((await listBytes(gateway.url)).equals(bytes)).toBe(true);
    expect(await gateway.states()).toEqual({ one: "up", two: "up" });
    const client = await connectLegacyClient(gateway.url);
    onTestFinished(async () => client.close());
    expect(await client.tools()).toContain("two__echo");
    expect([await one.starts(), await two.starts()]).toEqual([1, 1]);
    expect((await client.call("one__echo", { message: "now" })).text).toBe("now");
    expect([await one.starts(), await two.starts(), two.running()]).toEqual([2, 1, false]);
    expect([await noteOf(gateway, "one"), await noteOf(gateway, "two")]).toEqual([undefined, ASLEEP]);
    expect((await listBytes(gateway.url)).equals(bytes)).toBe(true);
  });

  test("one that cannot be started any more is down when it was called, and says why; its tools stay", async () => {
    const home = await sleepyHome({ start: "onDemand" });
    const program = join(home.folder, "server.sh");
    await writeFile(program, `#!/bin/sh\nexec ${process.execPath} ${stdioMainPath}\n`, { mode: 0o755 });
    await home.writeRegistry([{ name: "kid", command: program }]);
    const before = await startGateway(home);
    const bytes = await listBytes(before.url);
    await before.stop();
    await writeFile(program, "#!/bin/sh\nexit 3\n", { mode: 0o755 });

    const gateway = await startGateway(home);
    const client = await connectModernClient(gateway.url);
    onTestFinished(async () => client.close());
    await expect(client.call("kid__echo", { message: "x" })).rejects.toMatchObject({
      code: -31_001,
      message: expect.stringContaining("its process exited with code 3"),
    });
    expect(await gateway.states()).toMatchObject({ kid: expect.stringMatching(/^down: .*exited with code 3/) });
    expect((await listBytes(gateway.url)).equals(bytes)).toBe(true);
  });
});
