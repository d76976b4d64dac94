import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { jsonFile, manifestOf, SECRET } from "./map-publish-fixture.js";
import { createTestIo } from "./test-io.js";

const MAIN = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

describe("R3b: map serve as a process of its own", () => {
  test.each(["SIGTERM", "SIGINT"] as const)(
    "publishes, follows its manifest, and ends on %s with 0",
    async (signal) => {
      const io = await createTestIo();
      const manifest = await jsonFile(io, "m.json", manifestOf("docs"));
      const child = spawn(process.execPath, [MAIN, "map", "serve", manifest, "--port", "0"], {
        env: { PATH: process.env["PATH"], CORTEX_HOME: io.home, CONNECTORS_SIGNATURE_KEY: SECRET },
        stdio: ["ignore", "pipe", "pipe"],
      });
      const ended = once(child, "close");
      onTestFinished(async () => {
        child.kill("SIGKILL");
        await ended;
      });
      const said = { out: "", err: "" };
      child.stdout.setEncoding("utf8").on("data", (text: string) => (said.out += text));
      child.stderr.setEncoding("utf8").on("data", (text: string) => (said.err += text));
      await vi.waitFor(() => expect(said.out, said.err).toContain("\n"), 30_000);
      const url = /http:\S+/.exec(said.out)?.[0] ?? "";

      const first = await fetch(url);
      const etag = first.headers.get("etag") ?? "";
      expect(await first.json()).toMatchObject({ connectors: [{ id: "docs" }] });
      expect((await fetch(url, { headers: { "If-None-Match": etag } })).status).toBe(304);
      await jsonFile(io, "m.json", manifestOf("docs", "wiki"));
      await vi.waitFor(async () => {
        const changed = await fetch(url, { headers: { "If-None-Match": etag } });
        expect(await changed.json()).toMatchObject({ connectors: [{ id: "docs" }, { id: "wiki" }] });
      }, 20_000);

      child.kill(signal);
      expect(await ended).toEqual([0, null]);
      expect(said.out.trim().split("\n")).toHaveLength(1);
      expect(said.out + said.err).not.toContain(SECRET);
      await expect(fetch(url)).rejects.toThrow("fetch failed");
    },
  );
});
