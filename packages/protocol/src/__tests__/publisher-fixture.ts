import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";

/** A manifest with one connector, or with what a test says. */
export function manifestWith(members: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { brand: "brAInwav", ttlSeconds: 300, connectors: [connectorNamed("docs")], ...members };
}

export function connectorNamed(id: string, members: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    id,
    version: "1.0.0",
    name: id,
    endpoint: `https://${id}.example/mcp`,
    auth: { type: "none" },
    scopes: ["read"],
    status: "enabled",
    ttlSeconds: 300,
    ...members,
  };
}

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "protocol-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A manifest file, and how to write it anew. */
export async function manifestFile(
  members: Readonly<Record<string, unknown>> = {},
): Promise<{ readonly file: string; write(content: unknown): Promise<void> }> {
  const file = path.join(await temporaryFolder(), "manifest.json");
  const write = (content: unknown): Promise<void> =>
    writeFile(file, typeof content === "string" ? content : JSON.stringify(content, null, 2));
  await write(manifestWith(members));
  return { file, write };
}
