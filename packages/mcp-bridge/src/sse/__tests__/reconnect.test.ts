import { ManualTime } from "@cortex-os/mcp-core/testing";
import { describe, expect, test, vi } from "vitest";
import { LEGACY_CALLER, specFor } from "../../http/__tests__/open-link.js";
import { RecordingSink } from "../../http/__tests__/recording-sink.js";
import { called, proxyTo } from "../../runtime/__tests__/proxy-to.js";
import { OldServer } from "./old-server.js";

describe("a proxy to an old server (R8)", () => {
  test("connects again over HTTP+SSE when its stream was lost, and clients keep their connections", async () => {
    const time = new ManualTime();
    const server = await OldServer.start();
    const { availability, proxy } = proxyTo(server.url, { time });
    await proxy.connect();
    await called(proxy, LEGACY_CALLER);
    const before = server.http.methods.length;
    server.sessions[0]?.cut();
    await vi.waitFor(() => expect(proxy.state.kind).toBe("down"));
    await time.advance(100);
    await vi.waitFor(() => expect(proxy.state.kind).toBe("up"));
    expect(availability).toEqual([[true], [false, 'Connector "up" closed its event stream'], [true]]);
    expect(server.http.methods.slice(before)).toEqual(["GET", "initialize", "notifications/initialized"]);
    expect((await called(proxy, LEGACY_CALLER)).response).toMatchObject({ result: { session: "2" } });
  });

  test("goes on trying while it is away, and fails calls at once", async () => {
    const time = new ManualTime();
    const server = await OldServer.start(() => {});
    const { proxy } = proxyTo(server.url, { spec: specFor(server.url, { sse: true }), time });
    await proxy.connect();
    const hanging = called(proxy, LEGACY_CALLER);
    await vi.waitFor(() => expect(server.http.of("tools/call")).toHaveLength(1));
    await server.http.stop();
    expect((await hanging).error?.message).toContain("may or may not have been carried out");
    await vi.waitFor(() => expect(proxy.state.kind).toBe("down"));
    expect((await called(proxy, LEGACY_CALLER)).error?.code).toBe("UPSTREAM_UNAVAILABLE");
    await server.http.start();
    await time.advance(100);
    await vi.waitFor(() => expect(proxy.state.kind).toBe("up"));
    expect(server.http.of("tools/call")).toHaveLength(1);
  });

  test("that is disposed of fails its calls with the reason, and leaves nothing open", async () => {
    const server = await OldServer.start(() => {});
    const { proxy } = proxyTo(server.url);
    const sink = new RecordingSink();
    proxy.send({ id: 1, method: "tools/call", params: { name: "hang" }, caller: LEGACY_CALLER }, sink);
    await vi.waitFor(() => expect(server.http.of("tools/call")).toHaveLength(1));
    await proxy.dispose();
    expect(sink.error?.message).toBe('Connector "up" is being closed');
    await vi.waitFor(() => expect(server.living).toEqual([]));
  });
});
