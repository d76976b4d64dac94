import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { expect, onTestFinished } from "vitest";
import { KeyRing } from "../key-ring.js";
import { ServiceMapPublisher, type ServiceMapPublisherOptions } from "../service-map-publisher.js";
import type { SigningKey } from "../signing-key.js";

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

/** What a {@link publishing} signs with when a test does not say. */
const SECRET = "correct horse battery staple, long enough";
export const KEY: SigningKey = { key: SECRET };
/** The ring that accepts it. */
export const RING = KeyRing.fromSecret(SECRET);

/** A publisher that is closed after the test, with the time it lives in. */
export async function publishing(options: Partial<ServiceMapPublisherOptions> & { readonly manifestFile: string }) {
  const time = new ManualTime();
  const logger = new RecordingLogger();
  const publisher = await ServiceMapPublisher.start({ key: () => KEY, clock: time, timers: time, logger, ...options });
  onTestFinished(async () => {
    await publisher.close();
    expect(time.pending).toBe(0);
  });
  return { publisher, time, logger };
}
