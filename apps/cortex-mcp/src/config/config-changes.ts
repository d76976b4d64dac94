import type { Config } from "./schema.js";
import { settings } from "./settings.js";

/** Sections whose settings take effect while the gateway runs. The others are read when it opens its sockets, or when it stops. */
const LIVE_SECTIONS = ["names", "lists", "cache", "startup", "serviceMap", "log"] as const;

/** The settings in which two configurations differ, as their keys with dots between, in the schema's order. */
export function changedSettings(before: Config, after: Config): readonly string[] {
  return settings()
    .map(({ path }) => path)
    .filter((path) => JSON.stringify(valueAt(before, path)) !== JSON.stringify(valueAt(after, path)))
    .map((path) => path.join("."));
}

/** Whether a change of that setting takes effect without a restart. */
export const isLive = (setting: string): boolean => LIVE_SECTIONS.some((section) => setting.startsWith(`${section}.`));

/** What is in force when `wanted` was read by a gateway that runs with `inForce`. */
export function takingEffect(inForce: Config, { names, lists, cache, startup, serviceMap, log }: Config): Config {
  return { ...inForce, names, lists, cache, startup, serviceMap, log };
}

function valueAt(config: Config, path: readonly string[]): unknown {
  let value: unknown = config;
  for (const key of path) value = new Map(Object.entries(value ?? {})).get(key);
  return value;
}
