import { ManualTime } from "@cortex-os/mcp-core/testing";
import { META } from "@cortex-os/mcp-core/wire";
import { describe, expect, test, vi } from "vitest";
import { openLink } from "./open-link.js";
import { failure, json, legacy, modern, result, upstream, type Seen } from "./scripted-upstream.js";

describe("requests of the gateway's own", () => {
  const options = { timeoutMs: 1_000, maxBytes: 1_000 };

  test("carry the metadata of the gateway towards a modern upstream", async () => {
    const server = await upstream(modern((seen, res) => json(res, 200, result(seen, { tools: [] }))));
    const { link } = await openLink(server.url);
    expect(await link.request("tools/list", { cursor: "c" }, options)).toEqual({ tools: [] });
    const [seen] = server.of("tools/list");
    expect(seen?.message["params"]).toEqual({
      cursor: "c",
      _meta: {
        [META.protocolVersion]: "2026-07-28",
        [META.clientInfo]: { name: "cortex-mcp", version: "0.0.0" },
        [META.clientCapabilities]: {},
      },
    });
  });

  test("fail with the upstream's code in the data when it answers with an error", async () => {
    const server = await upstream(modern((seen, res) => json(res, 404, failure(seen, -32_601, "Method\nnot found"))));
    const { link } = await openLink(server.url);
    await expect(link.request("tools/list", {}, options)).rejects.toMatchObject({
      code: "UPSTREAM_PROTOCOL",
      message: 'Connector "up" answered tools/list with error -32601 (upstream text: "Method not found")',
      data: { upstreamCode: -32_601 },
    });
  });

  test.each([
    ["JSON", (seen: Seen) => [JSON.stringify(result(seen, { big: "x".repeat(2_000) })), "application/json"]],
    [
      "an event",
      (seen: Seen) => [`data: ${JSON.stringify(result(seen, { big: "x".repeat(2_000) }))}\n\n`, "text/event-stream"],
    ],
  ])("stop reading %s beyond the bound", async (_, answer) => {
    const server = await upstream(
      modern((seen, res) => {
        const [body, type] = answer(seen);
        res.writeHead(200, { "content-type": type }).end(body);
      }),
    );
    const { link } = await openLink(server.url);
    await expect(link.request("tools/list", {}, options)).rejects.toMatchObject({ code: "UPSTREAM_LIMIT" });
  });

  test("end when their signal fires, before or after they were sent, and tell the upstream", async () => {
    const server = await upstream(legacy(() => {}, { sessions: new Set() }));
    const { link } = await openLink(server.url);
    const never = link.request("tools/list", {}, { ...options, signal: AbortSignal.abort() });
    await expect(never).rejects.toMatchObject({ code: "CANCELLED" });
    const controller = new AbortController();
    const request = link.request("tools/list", {}, { ...options, signal: controller.signal });
    await vi.waitFor(() => expect(server.methods).toContain("tools/list"));
    controller.abort();
    await expect(request).rejects.toMatchObject({ code: "CANCELLED" });
    await vi.waitFor(() => expect(server.methods).toContain("notifications/cancelled"));
  });

  test("time out by the clock they were given", async () => {
    const time = new ManualTime();
    const server = await upstream(modern(() => {}));
    const { link } = await openLink(server.url, { time });
    const request = link.request("tools/list", {}, options);
    const failed = expect(request).rejects.toMatchObject({ code: "UPSTREAM_TIMEOUT" });
    await vi.waitFor(() => expect(server.methods).toContain("tools/list"));
    await time.advance(1_000);
    await failed;
  });

  test("fail before the link is open, after it is closed, and when it closes meanwhile", async () => {
    const server = await upstream(modern(() => {}));
    const { link, make } = await openLink(server.url);
    await expect(make().request("tools/list", {}, options)).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    const request = expect(link.request("tools/list", {}, options)).rejects.toMatchObject({
      code: "UPSTREAM_UNAVAILABLE",
    });
    await vi.waitFor(() => expect(server.methods).toContain("tools/list"));
    await link.close();
    await request;
    await expect(link.request("tools/list", {}, options)).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
  });
});
