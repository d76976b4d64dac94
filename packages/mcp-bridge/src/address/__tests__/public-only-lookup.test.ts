import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, LookupFunction } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { Pool } from "undici";
import { codeOf, reasonOf } from "../../http/failures.js";
import { NOT_PUBLIC, publicOnlyLookup, type LookupAll } from "../public-only-lookup.js";

/** A resolver with these answers, one after the other; the last stays. Nothing else here is not real. */
function resolver(...answers: (readonly string[] | Error)[]): { readonly lookupAll: LookupAll; asked: string[] } {
  const asked: string[] = [];
  const lookupAll: LookupAll = (hostname, _options, done) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)] ?? [];
    asked.push(hostname);
    setImmediate(() => {
      // As Node does it: an error comes without addresses, whatever the types say.
      if (answer instanceof Error) Reflect.apply(done, undefined, [answer]);
      else
        done(
          null,
          answer.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
        );
    });
  };
  return { lookupAll, asked };
}

/** What a socket would get from it. */
async function looked(lookup: LookupFunction, all: boolean): Promise<unknown[]> {
  return new Promise((resolve) => {
    lookup("tools.example", { all }, (...told) => {
      resolve(told);
    });
  });
}

/** A server of this machine, and the number of connections it got. */
async function local() {
  const seen = { connections: 0 };
  const server = createServer((_request, response) => void response.end("secret")).listen(0, "127.0.0.1");
  server.on("connection", () => (seen.connections += 1));
  await once(server, "listening");
  onTestFinished(() => {
    server.close().closeAllConnections();
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

function poolTo(port: number, lookupAll?: LookupAll): Pool {
  const pool = new Pool(`http://tools.example:${port}`, { connect: { lookup: publicOnlyLookup(lookupAll) } });
  onTestFinished(async () => pool.destroy());
  return pool;
}

const fetched = async (pool: Pool): Promise<unknown> =>
  pool.request({ path: "/", method: "GET" }).then(
    async ({ body }) => body.text(),
    (error: unknown) => codeOf(error),
  );

describe("a look-up that gives public addresses only (reliability.md, threat 15)", () => {
  test("gives all of them or the first, as the socket asks", async () => {
    const { lookupAll } = resolver(["1.1.1.1", "2606:4700::1111"]);
    expect(await looked(publicOnlyLookup(lookupAll), true)).toEqual([
      null,
      [
        { address: "1.1.1.1", family: 4 },
        { address: "2606:4700::1111", family: 6 },
      ],
    ]);
    expect(await looked(publicOnlyLookup(lookupAll), false)).toEqual([null, "1.1.1.1", 4]);
  });

  test.each([true, false])(
    "refuses a name with one address that is not public, wherever it stands (all: %s)",
    async (all) => {
      for (const addresses of [
        ["127.0.0.1"],
        ["1.1.1.1", "10.0.0.1"],
        ["::1", "1.1.1.1"],
        ["1.1.1.1", "fe80::1%eth0"],
      ]) {
        const [error] = await looked(publicOnlyLookup(resolver(addresses).lookupAll), all);
        expect(error).toMatchObject({ code: NOT_PUBLIC });
        expect(reasonOf(error)).toContain("its address is not public");
      }
    },
  );

  test("passes a resolver's failure on, and takes no answer for one", async () => {
    const failure = Object.assign(new Error("try again"), { code: "EAI_AGAIN" });
    expect(await looked(publicOnlyLookup(resolver(failure).lookupAll), true)).toEqual([failure, []]);
    const [error] = await looked(publicOnlyLookup(resolver([]).lookupAll), true);
    expect(reasonOf(error)).toBe("the host name is not known");
  });

  test("by default asks the machine: its own name leads to loopback and is refused", async () => {
    const { port, seen } = await local();
    const pool = new Pool(`http://localhost:${port}`, { connect: { lookup: publicOnlyLookup() } });
    onTestFinished(async () => pool.destroy());
    expect(await fetched(pool)).toBe(NOT_PUBLIC);
    expect(seen.connections).toBe(0);
  });
});

describe("a name that changes where it leads (DNS rebinding, reliability.md, threat 15)", () => {
  test.each<[string, (readonly string[] | Error)[]]>([
    ["straight to loopback", [["127.0.0.1"]]],
    ["to loopback over IPv6, mapped", [["::ffff:127.0.0.1"]]],
    ["to a public address that does not answer, beside loopback", [["192.0.2.1", "127.0.0.1"]]],
    ["first nowhere, then to loopback", [Object.assign(new Error("no"), { code: "ENOTFOUND" }), ["127.0.0.1"]]],
    ["to loopback, and to this network's metadata service after it", [["127.0.0.1"], ["169.254.169.254"]]],
  ])("%s: not one connection", async (_, answers) => {
    const { port, seen } = await local();
    const { lookupAll, asked } = resolver(...answers);
    const pool = poolTo(port, lookupAll);
    for (let attempt = 0; attempt < 3; attempt += 1)
      expect(await fetched(pool)).toMatch(/^ERR_ADDRESS_NOT_PUBLIC$|^ENOTFOUND$/);
    expect([asked.length, seen.connections]).toEqual([3, 0]);
  });

  test("the test above would see a connection: without the rule there is one", async () => {
    const { port, seen } = await local();
    const lookup: LookupFunction = (_hostname, _options, done) => {
      done(null, [{ address: "127.0.0.1", family: 4 }]);
    };
    const pool = new Pool(`http://tools.example:${port}`, { connect: { lookup } });
    onTestFinished(async () => pool.destroy());
    expect(await fetched(pool)).toBe("secret");
    expect(seen.connections).toBe(1);
  });
});
