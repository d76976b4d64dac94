import { describe, expect, test, vi } from "vitest";
import { MODERN_CALLER, toolCall } from "../../http/__tests__/open-link.js";
import { RecordingSink } from "../../http/__tests__/recording-sink.js";
import { called } from "../../runtime/__tests__/proxy-to.js";
import { authorizationServer } from "./test-authorization-server.js";
import { MemoryStore, oauthTo, protectedUpstream, WillingPerson } from "./oauth-under-test.js";

/** An upstream whose tokens have ended, at an authorization server that answers when it is told to. */
async function slowlyRenewed() {
  const server = await authorizationServer();
  const up = await protectedUpstream({ servers: [server] });
  const store = new MemoryStore();
  await oauthTo(up, { store, person: new WillingPerson(() => [server]) }).authorization.login({});
  const kit = oauthTo(up, { store });
  await kit.proxy.connect();
  server.expire();
  let answer: () => void = () => {};
  const isAsked = new Promise<void>((resolve) => {
    server.options = {
      token: (seen, response) => {
        server.options = {};
        answer = () => server.answer(seen, response);
        resolve();
        return true;
      },
    };
  });
  return { server, up, isAsked, answer: () => answer(), ...kit };
}

describe("while tokens are renewed", () => {
  test("a call that its client gives up is not sent again, and others are", async () => {
    const { up, proxy, isAsked, answer } = await slowlyRenewed();
    const sink = new RecordingSink();
    const exchange = proxy.send(toolCall(MODERN_CALLER), sink);
    const other = called(proxy);
    await isAsked;
    await vi.waitFor(() => expect(up.of("tools/call")).toHaveLength(2));
    exchange.cancel();
    answer();
    expect((await other).status).toBe(200);
    expect(up.of("tools/call")).toHaveLength(3);
    expect((await called(proxy)).status).toBe(200);
  });

  test("a connector that is removed ends its calls at once, waits for nobody, and loses no tokens", async () => {
    const { up, store, proxy, isAsked, answer } = await slowlyRenewed();
    const before = store.kept;
    const call = called(proxy);
    await isAsked;
    await proxy.dispose();
    expect((await call).error?.code).toBe("UPSTREAM_UNAVAILABLE");
    answer();
    await vi.waitFor(() => expect(store.kept).not.toBe(before));
    expect(up.of("tools/call")).toHaveLength(1);
  });
});

test.each([
  ["never ends", (write: (text: string) => void) => write("no")],
  ["is endless", (write: (text: string) => void) => write("x".repeat(200_000))],
])("a refusal whose body %s is followed by the authorised request", async (_, body) => {
  const server = await authorizationServer();
  const up = await protectedUpstream({ servers: [server] });
  const { script } = up;
  up.script = (seen, res) => {
    if (seen.headers.authorization !== undefined || seen.http !== "POST") {
      script(seen, res);
      return;
    }
    res.writeHead(401, { "www-authenticate": "Bearer" });
    body((text) => res.write(text));
  };
  const { proxy } = oauthTo(up, { person: new WillingPerson(() => [server]) });
  await proxy.connect();
  expect(proxy.state.kind).toBe("up");
});
