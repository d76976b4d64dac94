import type { ServerInfo } from "@cortex-os/mcp-core";
import type { Tally } from "./scenario.js";

/** What a registry holds, one text for each server, in its order. */
export type Content = readonly string[];

const UNIT = "0123456789abcdef";

/** A server whose every value follows from its name, its version and its size: one that is not so was never written by us. */
export function serverOf(name: string, version: string, padding = 0): ServerInfo {
  return { name, command: version, args: [paddingOf(version, padding)] };
}

/** What a registry holds, for comparing. A server that was never written like this says so. */
export function contentOf(servers: readonly ServerInfo[]): Content {
  return servers.map((server) => {
    const { name, command = "", args = [], ...rest } = server;
    const [padding = ""] = args;
    const intact = args.length === 1 && padding === paddingOf(command, padding.length);
    const text = `${name}=${command}/${padding.length}`;
    return intact && Object.keys(rest).every((key) => key === "transport")
      ? text
      : `${text} torn: ${JSON.stringify(rest)}`;
  });
}

function paddingOf(version: string, length: number): string {
  const unit = `${version}${UNIT}`;
  return unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
}

/** What a content becomes by a change: a map keeps the order of first insertion, as the registry does. */
export class Model {
  readonly #servers: Map<string, string>;

  constructor(content: Content = []) {
    this.#servers = new Map(content.map((text) => [nameOf(text), text]));
  }

  get content(): Content {
    return [...this.#servers.values()];
  }

  get names(): readonly string[] {
    return [...this.#servers.keys()];
  }

  upsert(server: ServerInfo): void {
    for (const text of contentOf([server])) this.#servers.set(server.name, text);
  }

  remove(name: string): boolean {
    return this.#servers.delete(name);
  }
}

/** The name in a text of a {@link Content}. */
export const nameOf = (text: string): string => text.slice(0, text.indexOf("="));

/** Whether two contents are the same. */
export const isSame = (one: Content, other: Content): boolean =>
  one.length === other.length && one.every((text, index) => text === other[index]);

/** What to hold what was found against. */
export interface Expectation {
  /** What may be found; the first is what must be there at the least. */
  readonly allowed: readonly Content[];
  /** Every text that was ever written: what is found and not here never existed. */
  readonly known: ReadonlySet<string>;
  readonly seed: number;
  /** What was done, for the failure's text. */
  readonly what: string;
  /** What may be complained of. @default nothing */
  readonly dueProblem?: RegExp;
}

/** Counts it as `wrong` or `lost` when what was found is nothing that may be there. */
export function judge(tally: Tally, found: Content, { allowed, known, seed, what }: Expectation): boolean {
  if (allowed.some((content) => isSame(content, found))) return true;
  const least = allowed[0] ?? [];
  const strange = found.filter((text) => !known.has(text));
  const missing = least.filter((text) => !found.includes(text));
  const verdict = strange.length > 0 || missing.length === 0 ? "wrong" : "lost";
  tally.fail(
    verdict,
    seed,
    `${what}: found [${found.join(" ")}], expected [${least.join(" ")}] or ${allowed.length - 1} others`,
  );
  return false;
}
