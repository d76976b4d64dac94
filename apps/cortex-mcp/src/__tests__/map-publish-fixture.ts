import { writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, onTestFinished, vi } from "vitest";
import type { TestIo } from "./test-io.js";

/** Long enough for an HMAC key, and easy to find where it must not be. */
export const SECRET = "canary-signature-key-of-more-than-32-bytes";

/** A manifest with connectors of these names. */
export const manifestOf = (...ids: readonly string[]): Record<string, unknown> => ({
  brand: "Example",
  ttlSeconds: 300,
  connectors: ids.map((id) => ({
    id,
    version: "1.0.0",
    name: id,
    endpoint: `https://${id}.example/mcp`,
    auth: { type: "none" },
    scopes: ["read"],
    status: "enabled",
    ttlSeconds: 300,
  })),
});

/** Writes a JSON file into the working folder and gives its path. */
export async function jsonFile(io: TestIo, name: string, content: unknown): Promise<string> {
  const file = path.join(io.cwd, name);
  await writeFile(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

/** A publisher that `map serve` runs in this process. */
export interface Publishing {
  readonly url: string;
  /** Sends it a signal and gives the exit code it ends with. */
  readonly stop: () => Promise<number>;
}

/** Runs `map serve` on a free port until the test is over. */
export async function publishing(io: TestIo, ...words: readonly string[]): Promise<Publishing> {
  const before = io.outLines.length;
  const ended = io.run("map", "serve", ...words, "--port", "0", "--json");
  let early: unknown;
  void ended.then((ran) => {
    early = ran;
  });
  await vi.waitFor(() => {
    if (early !== undefined) throw new Error(`map serve ended: ${JSON.stringify(early)}`);
    expect(io.outLines.length).toBeGreaterThan(before);
  }, 20_000);
  let stopped: Promise<number> | undefined;
  const stop = (): Promise<number> =>
    (stopped ??= (async () => {
      io.signal("SIGTERM");
      return (await ended).code;
    })());
  onTestFinished(async () => {
    await stop();
    expect(io.listening()).toBe(0);
  });
  const { url } = JSON.parse(io.outLines[before] ?? "") as { url: string };
  return { url, stop };
}
