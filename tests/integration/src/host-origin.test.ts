import { startFixtureHttp } from "@cortex-os/fixture-server";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startGateway } from "./support/gateway-process.js";
import {
  ALLOWED_HOSTS,
  ALLOWED_ORIGINS,
  HOST_CASES,
  ORIGIN_CASES,
  type HeaderCase,
  type Verdict,
} from "./support/host-origin-values.js";
import { programHome } from "./support/program-home.js";
import { sendBytes } from "./support/raw-request.js";

/** What a request comes to when its Host and its Origin are good, by path and method. */
const ROUTES: readonly (readonly [path: string, tool: string, good: Readonly<Record<string, number>>])[] = [
  ["/mcp", "up__echo", { POST: 200, GET: 405, DELETE: 405 }],
  ["/mcp/-/up", "echo", { POST: 200, GET: 405, DELETE: 405 }],
  ["/sse", "", { POST: 405, GET: 200, DELETE: 405 }],
  ["/messages", "", { POST: 404, GET: 405, DELETE: 405 }],
  ["/metrics", "", { POST: 405, GET: 200, DELETE: 405 }],
];

/** Refused for what the header says, or before that because it was sent twice or is missing where HTTP/1.1 asks for it. */
function expectedStatus(host: Verdict, origin: Verdict, good: number): number {
  if (host === "malformed" || origin === "malformed") return 400;
  return host === "good" && origin === "good" ? good : 403;
}

function requestText(method: string, path: string, tool: string, headers: readonly string[]): string {
  const body =
    method === "POST"
      ? JSON.stringify({
          jsonrpc: "2.0",
          id: 1,
          method: "tools/call",
          params: {
            name: tool,
            arguments: { message: "hello" },
            _meta: {
              "io.modelcontextprotocol/protocolVersion": "2026-07-28",
              "io.modelcontextprotocol/clientCapabilities": {},
            },
          },
        })
      : "";
  const lines = [
    `${method} ${path} HTTP/1.1`,
    ...headers,
    "Connection: close",
    "Accept: application/json, text/event-stream",
    ...(method === "POST"
      ? [
          "Content-Type: application/json",
          `Content-Length: ${body.length}`,
          "MCP-Protocol-Version: 2026-07-28",
          "Mcp-Method: tools/call",
          `Mcp-Name: ${tool}`,
        ]
      : []),
  ];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

interface Case {
  readonly path: string;
  readonly tool: string;
  readonly method: string;
  readonly host: HeaderCase;
  readonly origin: HeaderCase;
  readonly expected: number;
}

function* allCases(): Generator<Case> {
  for (const [path, tool, methods] of ROUTES) {
    for (const [method, good] of Object.entries(methods)) {
      for (const host of HOST_CASES) {
        for (const origin of ORIGIN_CASES) {
          yield { path, tool, method, host, origin, expected: expectedStatus(host[0], origin[0], good) };
        }
      }
    }
  }
}

test("R22: 40 hosts by 40 origins, each good only when both are, on every route and for every method; nothing refused is forwarded", async () => {
  expect([HOST_CASES.length, ORIGIN_CASES.length]).toEqual([40, 40]);
  const upstream = await startFixtureHttp({ era: "modern" });
  onTestFinished(async () => upstream.close());
  const home = await programHome();
  await home.writeRegistry([{ name: "up", transport: "http", endpoint: upstream.url }]);
  const config = { allowedHosts: ALLOWED_HOSTS, allowedOrigins: ALLOWED_ORIGINS, legacySse: true };
  await writeFile(join(home.folder, "mcp", "config.json"), JSON.stringify(config));
  const gateway = await startGateway(home);
  const port = Number(new URL(gateway.url).port);
  const linesOf = (name: string, [, ...values]: HeaderCase): readonly string[] =>
    values.map((value) => `${name}: ${value.replace(/:0(?![-\d.])/, `:${port}`)}`);

  const wrong: string[] = [];
  let asked = 0;
  let forwarded = 0;
  const askAll = async (cases: Iterable<Case>): Promise<void> => {
    for (const { path, tool, method, host, origin, expected } of cases) {
      asked += 1;
      if (tool !== "" && method === "POST" && expected === 200) forwarded += 1;
      const headers = [...linesOf("Host", host), ...linesOf("Origin", origin)];
      // A stream that should not be one must be seen, not waited for.
      const onlyHead = path === "/sse";
      const { status } = await sendBytes(port, requestText(method, path, tool, headers), { onlyHead });
      if (status !== expected) wrong.push(`${method} ${path} ${headers.join(" | ")}: ${status}, not ${expected}`);
    }
  };
  // All take from one and the same iterator: sixteen at a time.
  const cases = allCases();
  await Promise.all(Array.from({ length: 16 }, async () => askAll(cases)));
  expect(wrong).toEqual([]);
  expect(asked).toBe(24_000);
  expect(upstream.calls.started).toBe(forwarded);
}, 240_000);
