import type { ServerInfo } from "@cortex-os/mcp-core";
import { serverOf } from "./content.js";
import type { Random } from "./random.js";

/** Something done with a registry. `later` is begun and not waited for; `by` says which of two instances does it. */
export type Step =
  | { readonly kind: "upsert"; readonly by: 0 | 1; readonly server: ServerInfo }
  | { readonly kind: "remove"; readonly by: 0 | 1; readonly name: string }
  | { readonly kind: "flush" | "durable"; readonly by: 0 | 1; readonly later: boolean }
  | { readonly kind: "refresh" | "reopen"; readonly by: 0 | 1 }
  | { readonly kind: "turn" };

const KINDS = { upsert: 50, remove: 10, flush: 8, durable: 12, refresh: 2, reopen: 4, turn: 14 };

/** How a script is made. */
export interface ScriptOptions {
  readonly steps: number;
  /** Whether two instances take part. */
  readonly two?: boolean;
  /** Before each name. */
  readonly prefix?: string;
  /** Before each version, so that no two scripts have the same. */
  readonly versions?: string;
}

/** Some steps: few names, so that they meet; no two versions alike, so that each can be told. */
export function randomSteps(random: Random, options: ScriptOptions): readonly Step[] {
  return Array.from({ length: options.steps }, (_, index) => randomStep(random, index, options));
}

function randomStep(random: Random, index: number, { two = false, prefix = "", versions = "" }: ScriptOptions): Step {
  const by = two && random.chance(0.3) ? 1 : 0;
  const kind = random.weighted(KINDS);
  const name = `${prefix}${random.pick(["a", "b", "c", "d", "e", "f"])}`;
  switch (kind) {
    case "upsert":
      return { kind, by, server: serverOf(name, `${versions}v${index}`, random.chance(0.2) ? random.int(1_500) : 0) };
    case "remove":
      return { kind, by, name };
    case "flush":
    case "durable":
      return { kind, by, later: random.chance(0.5) };
    case "refresh":
    case "reopen":
      return { kind, by };
    case "turn":
      return { kind };
  }
}
