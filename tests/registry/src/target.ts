import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import * as registry from "@cortex-os/mcp-registry";

/** The registry as its users see it. */
export type Registry = typeof registry;

/** The cache of whatever copy of the registry is on trial. */
export type Cache = InstanceType<Registry["RegistryMemoryCache"]>;

/** What is on trial: the registry, or a copy of it with a bug. */
export interface Target {
  readonly registry: Registry;
  /** Where a process of its own finds it: a file URL. */
  readonly entry: string;
}

/** The registry itself. */
export const PRODUCT: Target = {
  registry,
  entry: pathToFileURL(createRequire(import.meta.url).resolve("@cortex-os/mcp-registry")).href,
};

/** The registry whose compiled entry is at a file URL. */
export async function targetAt(entry: string): Promise<Target> {
  return { entry, registry: (await import(entry)) as Registry };
}
