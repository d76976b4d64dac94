import { describe, expect, test } from "vitest";
import { settle } from "../../__tests__/support/test-upstreams.js";
import { Answer, setUpProxy } from "./proxy-upstream-set-up.js";

/** An upstream that is up, with one call in flight. */
async function busy() {
  const it = setUpProxy();
  await it.goUp();
  const answer = new Answer<unknown>();
  it.proxy().answer = () => answer.promise;
  const call = it.upstream.callTool("t", {});
  const ended: string[] = [];
  call.then(
    () => ended.push("call"),
    () => ended.push("call failed"),
  );
  const retired = it.upstream.retire(1_000, "was changed").then(() => ended.push("upstream"));
  await settle();
  return { ...it, answer, call, ended, retired };
}

describe("R6: retiring a caller's proxy", () => {
  test("its calls end by themselves, and it is disconnected after the last", async () => {
    const { proxy, answer, call, ended, retired, time } = await busy();
    expect([proxy().disconnects, ended]).toEqual([0, []]);
    answer.resolve("hi");
    expect(await call).toEqual({ content: [{ type: "text", text: "hi" }] });
    await retired;
    expect([proxy().disconnects, ended, time.pending]).toEqual([1, ["call", "upstream"], 0]);
  });

  test("after the grace they fail and say why, whatever the proxy does", async () => {
    const { proxy, call, retired, time, logger } = await busy();
    const refused = expect(call).rejects.toMatchObject({
      code: "UPSTREAM_UNAVAILABLE",
      message:
        'Connector "k" was changed, and this call had not ended 1000 ms later; whether it took effect is unknown',
    });
    await time.advance(1_000);
    await refused;
    await retired;
    expect([proxy().disconnects, time.pending]).toEqual([1, 0]);
    expect(logger.messages("warn")).toEqual(["Calls were cut short: their connector was changed"]);
  });

  test("disposing ends them at once", async () => {
    const { upstream, call, retired, time } = await busy();
    const refused = expect(call).rejects.toThrow('Connector "k" is being closed');
    await upstream.dispose();
    await refused;
    await retired;
    expect(time.pending).toBe(0);
  });

  test("nothing new begins meanwhile, and what the proxy says is not heard", async () => {
    const { upstream, proxy, heard, changes, answer, retired } = await busy();
    await expect(upstream.callTool("t", {})).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    await expect(upstream.list("tools")).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    await expect(upstream.connect()).rejects.toThrow("is being closed");
    const { length } = heard;
    proxy().options.onAvailability(true);
    proxy().options.onToolsChanged();
    proxy().options.onAvailability(false, "gone");
    expect([heard.length, changes.tools, upstream.facts]).toEqual([length, 0, undefined]);
    answer.resolve(undefined);
    await retired;
  });

  test("while it connects, or without calls, it goes at once; twice is once", async () => {
    const { upstream, proxy, begin, heard, time } = setUpProxy();
    await begin();
    await Promise.all([upstream.retire(1_000, "was removed"), upstream.retire(1_000, "was removed")]);
    expect([proxy().disconnects, heard, time.pending]).toEqual([1, [], 0]);
  });
});
