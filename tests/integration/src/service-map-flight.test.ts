import { startFixtureHttp } from "@cortex-os/fixture-server";
import { ConnectorProxyManager, type RegistrableTool } from "@cortex-os/mcp";
import { silentLogger } from "@cortex-os/mcp-core";
import { describe, expect, onTestFinished, test } from "vitest";
import { publishing } from "./support/map-publishers.js";
import { connector, SIGNATURE_KEY } from "./support/map-text.js";

const CALLERS = 1_000;

describe("R6: callers of sync() that arrive together", () => {
  test("1,000 share one fetch: of the first map, of a fresh one none, by force one more", async () => {
    const server = await startFixtureHttp();
    onTestFinished(() => server.close());
    const publisher = await publishing([connector("docs", server.url)]);
    const tools = new Map<string, RegistrableTool>();
    const manager = new ConnectorProxyManager({
      serviceMapUrl: publisher.url,
      signatureKey: SIGNATURE_KEY,
      connectorsApiKey: "",
      logger: silentLogger,
      registry: {
        registerTool: (tool) => tools.set(tool.name, tool),
        unregisterTool: (name) => tools.delete(name),
      },
    });
    onTestFinished(() => manager.disconnect());
    const all = async (force: boolean): Promise<number> => {
      const before = publisher.asked;
      await Promise.all(Array.from({ length: CALLERS }, async () => manager.sync(force)));
      return publisher.asked - before;
    };
    const [first, fresh, forced] = [await all(false), await all(false), await all(true)];
    expect([first, fresh, forced]).toEqual([1, 0, 1]);
    expect(server.requests.method("server/discover") + server.requests.method("initialize")).toBe(1);
    expect(await tools.get("docs__echo")?.handler({ message: "hi" })).toMatchObject({
      content: [{ type: "text", text: "hi" }],
    });
    process.stdout.write(
      `${CALLERS} concurrent sync(): ${first} fetch, ${fresh} while it is fresh, ${forced} by force\n`,
    );
  });
});
