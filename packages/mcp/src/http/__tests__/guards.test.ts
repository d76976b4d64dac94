import { Agent, request } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { sendRaw, startServer } from "../../__tests__/support/http.js";
import { guard, type GuardPolicy } from "../guards.js";

const POLICY: GuardPolicy = {
  allowedHosts: ["gateway.example", "mcp.internal", "[2001:db8::1]"],
  allowedOrigins: ["https://app.example", "https://app.example:8443", "null", "vscode-webview://abc"],
};

/** Every value with its verdict, written down by hand and not computed by anything. */
const HOSTS: readonly (readonly [value: string, allowed: boolean])[] = [
  ["localhost", true],
  ["localhost:7420", true],
  ["LocalHost", true],
  ["127.0.0.1", true],
  ["127.0.0.1:80", true],
  ["[::1]", true],
  ["[::1]:7420", true],
  ["gateway.example", true],
  ["gateway.example:443", true],
  ["GATEWAY.example", true],
  ["mcp.internal:8080", true],
  ["[2001:db8::1]:7420", true],
  ["evil.example", false],
  ["evil.example:7420", false],
  ["localhost.evil.example", false],
  ["127.0.0.1.evil.example", false],
  ["evil-localhost", false],
  ["sub.gateway.example", false],
  ["gateway.example.evil", false],
  ["gatewayexample", false],
  ["gateway.example.", false],
  ["localhost.", false],
  ["127.0.0.2", false],
  ["0.0.0.0", false],
  ["10.0.0.1", false],
  ["127.1", false],
  ["2130706433", false],
  ["0x7f.0.0.1", false],
  ["::1", false],
  ["[::]", false],
  ["[::ffff:127.0.0.1]", false],
  ["[0:0:0:0:0:0:0:1]", false],
  ["user@localhost", false],
  ["localhost@evil.example", false],
  ["localhost:", false],
  ["localhost:80:80", false],
  ["localhost:http", false],
  ["localhost,evil.example", false],
  ["localhost/evil", false],
  ["", false],
];

const ORIGINS: readonly (readonly [value: string | undefined, allowed: boolean])[] = [
  [undefined, true],
  ["http://localhost", true],
  ["http://localhost:5173", true],
  ["https://localhost", true],
  ["http://127.0.0.1", true],
  ["http://127.0.0.1:7420", true],
  ["http://[::1]:7420", true],
  ["https://app.example", true],
  ["https://app.example:8443", true],
  ["vscode-webview://abc", true],
  ["null", false],
  ["", false],
  ["http://app.example", false],
  ["https://app.example:443", false],
  ["https://app.example/", false],
  ["https://APP.example", false],
  ["https://sub.app.example", false],
  ["https://app.example.evil", false],
  ["https://evil.example", false],
  ["http://evil.example:7420", false],
  ["https://gateway.example", false],
  ["http://localhost.evil.example", false],
  ["http://localhost:80.evil.example", false],
  ["http://evil.example#localhost", false],
  ["http://evil.example?localhost", false],
  ["http://evil.example/localhost", false],
  ["http://localhost@evil.example", false],
  ["http://user@localhost", false],
  ["http://localhost/", false],
  ["http://localhost:", false],
  ["http://127.0.0.2", false],
  ["http://0.0.0.0", false],
  ["http://2130706433", false],
  ["http://127.0.0.1.nip.example", false],
  ["http://[::]", false],
  ["localhost", false],
  ["//localhost", false],
  ["file://", false],
  ["chrome-extension://localhost", false],
  ["http://localhost, https://evil.example", false],
];

describe("the guards (reliability.md, threats 1 to 3; 2026-07-28, Security & Endpoint)", () => {
  test("40 Host × 40 Origin values, each alone and combined: 1,600 requests, 0 wrong verdicts", async () => {
    expect([HOSTS.length, ORIGINS.length]).toEqual([40, 40]);
    const { port } = await startServer((asked, response) => {
      const refusal = guard(asked, POLICY);
      response.writeHead(refusal?.status ?? 200, { "x-reason": refusal?.reason ?? "none" }).end();
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => {
      agent.destroy();
    });
    const ask = async (host: string, origin: string | undefined): Promise<string> =>
      new Promise((resolve, reject) => {
        const headers = { host, ...(origin === undefined ? {} : { origin }) };
        request({ port, host: "127.0.0.1", agent, headers, setHost: false }, (response) => {
          response.resume();
          response.on("end", () => {
            resolve(`${response.statusCode} ${String(response.headers["x-reason"])}`);
          });
        })
          .on("error", reject)
          .end();
      });
    const wrong: unknown[] = [];
    let asked = 0;
    for (const [host, hostAllowed] of HOSTS) {
      for (const [origin, originAllowed] of ORIGINS) {
        const verdict = await ask(host, origin);
        asked += 1;
        const expected = hostAllowed ? (originAllowed ? "200 none" : "403 origin") : "403 host";
        if (verdict !== expected) wrong.push({ host, origin, verdict, expected });
      }
    }
    expect(wrong).toEqual([]);
    expect(asked).toBe(1_600);
  });

  const guarded = async (): Promise<number> => {
    const { port } = await startServer((asked, response) => {
      const refusal = guard(asked, POLICY);
      response.writeHead(refusal?.status ?? 200, { connection: "close" }).end(refusal?.message ?? "passed");
    });
    return port;
  };

  const DUPLICATES: readonly (readonly [name: string, one: string, other: string])[] = [
    ["Host", "localhost", "evil.example"],
    ["Authorization", "Bearer one", "Bearer two"],
    ["Origin", "http://localhost", "https://evil.example"],
    ["Content-Type", "application/json", "text/plain"],
    ["Content-Length", "0", "5"],
    ["MCP-Protocol-Version", "2026-07-28", "2025-11-25"],
    ["Mcp-Method", "tools/call", "tools/list"],
    ["Mcp-Name", "one", "other"],
    ["Mcp-Session-Id", "mine", "yours"],
    ["Mcp-Param-Region", "eu", "us"],
  ];
  const ORDERS = ["one after the other", "the other first", "the same twice, in another case"] as const;

  test("10 headers, each doubled in 3 orders: 30 of 30 are refused with 400", async () => {
    const port = await guarded();
    const answers: string[] = [];
    for (const [name, one, other] of DUPLICATES) {
      for (const order of ORDERS) {
        const [first, second] = order === "the other first" ? [other, one] : [one, other];
        const lines =
          order === "the same twice, in another case"
            ? [`${name.toLowerCase()}: ${one}`, `${name.toUpperCase()}: ${one}`]
            : [`${name}: ${first}`, `${name}: ${second}`];
        const host = name === "Host" ? [] : ["Host: localhost"];
        answers.push(await sendRaw(port, ["GET / HTTP/1.1", ...host, ...lines, "", ""].join("\r\n")));
      }
    }
    expect(answers).toHaveLength(30);
    expect(answers.filter((answer) => !answer.startsWith("HTTP/1.1 400 "))).toEqual([]);
  });

  test("headers that may repeat are let through twice", async () => {
    const port = await guarded();
    const answer = await sendRaw(port, "GET / HTTP/1.1\r\nHost: localhost\r\nAccept: a/b\r\nAccept: c/d\r\n\r\n");
    expect(answer).toContain("passed");
  });

  test.each([
    "GET http://evil.example/ HTTP/1.1",
    "GET http://localhost/mcp HTTP/1.1",
    "GET https://evil.example:443/mcp HTTP/1.1",
    "GET HTTP://EVIL.EXAMPLE/ HTTP/1.1",
    "OPTIONS * HTTP/1.1",
  ])("a target that is no path is refused: %s", async (line) => {
    const port = await guarded();
    const answer = await sendRaw(port, `${line}\r\nHost: localhost\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).not.toContain("passed");
  });

  test("a request without a Host is refused", async () => {
    const port = await guarded();
    expect(await sendRaw(port, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /);
    expect(await sendRaw(port, "GET / HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1\.1 403 /);
  });

  test("a refusal repeats nothing that was sent", async () => {
    const port = await guarded();
    const answer = await sendRaw(
      port,
      "GET / HTTP/1.1\r\nHost: canary.example\r\nAuthorization: Bearer canary\r\n\r\n",
    );
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(answer).not.toContain("canary");
  });
});
