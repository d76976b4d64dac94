import { readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { systemTimers } from "@cortex-os/mcp-core";
import { describe, expect, test, vi } from "vitest";
import { loopbackPerson } from "../oauth/loopback-person.js";
import { TokenFile } from "../oauth/token-file.js";
import { OAuthServer } from "./oauth-server.js";
import { servingHomeOf } from "./serving.js";
import { createTestIo, temporaryFolder, type TestIo } from "./test-io.js";

async function homeWithServer(): Promise<{ io: TestIo; server: OAuthServer; tokens: string }> {
  const server = new OAuthServer();
  await server.start();
  const io = await createTestIo();
  expect((await io.run("add", "locked", server.url)).code).toBe(0);
  return { io, server, tokens: path.join(io.home, "mcp", "state", "oauth", "locked.json") };
}

/** Runs `login`, and the browser as soon as it is sent somewhere. */
async function loggedIn(io: TestIo, server: OAuthServer, ...flags: string[]) {
  const before = io.browsed.length;
  const ran = io.run("login", "locked", ...flags);
  await vi.waitFor(() => expect(io.browsed.length).toBeGreaterThan(before));
  const page = await server.browse(io.browsed[before] ?? "");
  return { ...(await ran), page };
}

describe("login", () => {
  test("has a browser authorise the server; its tokens are for their owner alone, and a running gateway connects by itself", async () => {
    const { io, server, tokens } = await homeWithServer();
    await servingHomeOf(io);
    await vi.waitFor(async () =>
      expect((await io.run("list")).out).toContain("needs login: run cortex-mcp login locked"),
    );
    expect((await io.run("status")).out).toContain("needs login");
    const { code, out, err, page } = await loggedIn(io, server);
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(out).toContain('Logged in to "locked".');
    expect(page.status).toBe(200);
    // What is opened is an address of ours: no command line holds what the server said.
    expect(io.browsed[0]).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/start\/[\w-]{22}$/);
    expect(err).toMatch(/Log in to "locked" here: http:\/\/127\.0\.0\.1:\d+\/authorize\?/);
    const { mode } = await stat(tokens);
    expect(mode & 0o777).toBe(0o600);
    expect((await stat(path.dirname(tokens))).mode & 0o777).toBe(0o700);
    expect(await readFile(tokens, "utf8")).toContain("access-");
    await vi.waitFor(async () => expect((await io.run("call", "locked__greet")).out).toContain("hello"));
    expect((await io.run("status", "--json")).out + (await io.run("list", "--json")).out).not.toContain("access-");
  });

  test("logout forgets the tokens, and the running gateway sends them no more", async () => {
    const { io, server, tokens } = await homeWithServer();
    await loggedIn(io, server);
    await servingHomeOf(io);
    await vi.waitFor(async () => expect((await io.run("call", "locked__greet")).out).toContain("hello"));
    const ran = await io.run("logout", "locked");
    expect(ran.out).toContain('Logged out of "locked"');
    await expect(stat(tokens)).rejects.toThrow("ENOENT");
    const refused = await io.run("call", "locked__greet");
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("needs login");
    expect((await io.run("logout", "locked")).out).toBe('There were no tokens of "locked".');
  });

  test("logout of a name that nothing has is refused, and works for a server that was removed", async () => {
    const { io, server, tokens } = await homeWithServer();
    await loggedIn(io, server);
    expect(await io.run("logout", "loked")).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringContaining('there is no server "loked"'),
    });
    expect((await io.run("remove", "locked")).code).toBe(0);
    expect((await io.run("logout", "locked")).out).toContain('Logged out of "locked"');
    await expect(stat(tokens)).rejects.toThrow("ENOENT");
  });

  test("a command without a running gateway uses the tokens, too", async () => {
    const { io, server } = await homeWithServer();
    expect((await io.run("call", "locked__greet")).code).toBe(1);
    await loggedIn(io, server, "--json");
    expect((await io.run("call", "locked__greet")).out).toContain("hello");
  });

  test.each([
    [["add", "x", "--", "true"], "only servers with a URL are"],
    [["add", "x", "https://x.test/mcp", "-H", "Authorization: Bearer hidden"], "which wins over OAuth"],
    [["add-json", "x", '{"endpoint":"https://x.test/mcp","oauth":{"enabled":false}}'], "unless oauth.enabled is false"],
    [["add", "y", "https://x.test/mcp"], 'there is no server "x"'],
  ])("%j is nothing to log in to", async (words, reason) => {
    const io = await createTestIo();
    await io.run(...words);
    const { code, err } = await io.run("login", "x");
    expect(code).toBe(1);
    expect(err).toContain(reason);
    expect(err).not.toContain("hidden");
  });

  test("opens no browser when it is not to, and is called off by a signal", async () => {
    const { io, server, tokens } = await homeWithServer();
    const before = io.errLines.length;
    const ran = io.run("login", "locked", "--no-browser");
    await vi.waitFor(() => expect(io.errLines.length).toBeGreaterThan(before));
    io.signal("SIGINT");
    expect((await ran).code).toBe(130);
    expect(io.browsed).toEqual([]);
    expect(server.asked).not.toContain("/token");
    await expect(stat(tokens)).rejects.toThrow("ENOENT");
  });
});

describe("the listener that a browser comes back to", () => {
  async function waiting() {
    const shown: URL[] = [];
    const signal = new AbortController();
    const show = (_: URL, start: URL) => void shown.push(start);
    const visit = await loopbackPerson({ timers: systemTimers, signal: signal.signal, show }).receive();
    const answer = visit.visit(new URL("https://login.example/authorize?x=1"), "right");
    answer.catch(() => {});
    const ask = (query: string, init?: RequestInit) =>
      fetch(visit.redirectUrl + query, { redirect: "manual", ...init });
    return { visit, answer, ask, shown, giveUp: () => signal.abort() };
  }

  test("is not misled by another state, path, method or host, and takes one answer", async () => {
    const { visit, answer, ask, shown } = await waiting();
    expect((await ask("?code=evil&state=wrong")).status).toBe(400);
    expect((await ask("?code=evil")).status).toBe(400);
    expect((await ask("/else?state=right")).status).toBe(404);
    expect((await ask("?state=right", { method: "POST" })).status).toBe(403);
    const { port } = new URL(visit.redirectUrl);
    expect((await fetch(`http://localhost:${port}/callback?state=right`).catch(() => undefined))?.status ?? 403).toBe(
      403,
    );
    const start = await fetch(shown[0]?.href ?? "", { redirect: "manual" });
    expect(start.headers.get("location")).toBe("https://login.example/authorize?x=1");
    expect((await ask("?code=good&state=right")).status).toBe(200);
    expect((await answer).get("code")).toBe("good");
    await visit.close();
    await visit.close();
    await expect(ask("?code=late&state=right")).rejects.toThrow("fetch failed");
  });

  test("gives up when it is told to", async () => {
    const { visit, answer, giveUp } = await waiting();
    giveUp();
    await expect(answer).rejects.toThrow("gave up waiting");
    await visit.close();
  });
});

describe("a file of tokens", () => {
  test("is written by several at once without losing anything, and damaged it counts as none", async () => {
    const folder = path.join(await temporaryFolder(), "oauth");
    const issuers = Array.from({ length: 10 }, (_, number) => `https://issuer-${number}.example`);
    await Promise.all(
      issuers.map((issuer) =>
        new TokenFile(folder, "a").update((current) => ({
          url: "https://x.test/mcp",
          credentials: [...(current?.credentials ?? []), { issuer }],
        })),
      ),
    );
    const file = new TokenFile(folder, "a");
    expect(
      file
        .read()
        ?.credentials.map(({ issuer }) => issuer)
        .toSorted(),
    ).toEqual(issuers);
    await writeFile(path.join(folder, "a.json"), "{ torn");
    expect(file.read()).toBeUndefined();
  });
});
