import { GatewayError } from "@cortex-os/mcp-core";
import { RecordingLogger } from "@cortex-os/mcp-core/testing";
import { describe, expect, test } from "vitest";
import { RequestedResources } from "../requested-resources.js";

const REFUSED = new GatewayError("UPSTREAM_PROTOCOL", "no such resource", { data: { upstreamCode: -32_002 } });

function resourcesUnderTest() {
  const logger = new RecordingLogger();
  const asked: string[] = [];
  const waiting: { readonly resolve: () => void; readonly reject: (error: GatewayError) => void }[] = [];
  const resources = new RequestedResources({
    key: "demo",
    logger,
    ask: (method, { uri }) =>
      new Promise<void>((resolve, reject) => {
        asked.push(`${method} ${uri as string}`);
        waiting.push({ resolve, reject });
      }),
  });
  const tick = () => new Promise((resolve) => setImmediate(resolve));
  const settle = async (how: "resolve" | "reject") => {
    await tick();
    const first = waiting.shift();
    if (how === "resolve") first?.resolve();
    else first?.reject(REFUSED);
    await tick();
  };
  return { resources, asked, settle, logger };
}

describe("subscriptions to a legacy upstream's resources (R22)", () => {
  test("what concerns one resource is asked in turn, what concerns another does not wait", async () => {
    const { resources, asked, settle } = resourcesUnderTest();
    const first = resources.subscribe("a:1");
    const gone = resources.unsubscribe("a:1");
    const again = resources.subscribe("a:1");
    const other = resources.subscribe("b:2");
    await settle("resolve");
    await first;
    expect(asked).toEqual(["resources/subscribe a:1", "resources/subscribe b:2", "resources/unsubscribe a:1"]);
    for (let turn = 0; turn < 3; turn += 1) await settle("resolve");
    await Promise.all([gone, again, other]);
    expect(asked.at(-1)).toBe("resources/subscribe a:1");
    expect(resources.uris.toSorted()).toEqual(["a:1", "b:2"]);
  });

  test("one that is refused is forgotten; one that was not there is not taken back", async () => {
    const { resources, asked, settle } = resourcesUnderTest();
    const refused = expect(resources.subscribe("a:1")).rejects.toBe(REFUSED);
    await settle("reject");
    await refused;
    await resources.unsubscribe("a:1");
    expect(asked).toEqual(["resources/subscribe a:1"]);
    expect(resources.uris).toEqual([]);
  });

  test("an upstream that forgot them is asked anew, and what it refuses then is logged only", async () => {
    const { resources, asked, settle, logger } = resourcesUnderTest();
    for (const uri of ["a:1", "b:2"]) {
      const subscribed = resources.subscribe(uri);
      await settle("resolve");
      await subscribed;
    }
    resources.renew();
    await settle("resolve");
    await settle("reject");
    expect(asked.slice(2)).toEqual(["resources/subscribe a:1", "resources/subscribe b:2"]);
    const gone = resources.unsubscribe("a:1");
    await settle("reject");
    await gone;
    expect(logger.messages("debug")).toHaveLength(2);
    expect(logger.lines[0]?.fields).toEqual({ connectorId: "demo", reason: REFUSED.message });
  });
});
