import { SimDisk } from "@cortex-os/mcp-registry/testing";
import { contentOf, isSame, nameOf, type Content } from "../content.js";
import { described } from "../errors.js";
import type { Tally } from "../scenario.js";
import { SimWorld } from "../sim/sim-world.js";
import type { Target } from "../target.js";
import { filesFor, FOLDER, type RegistryBefore, type Suffix } from "./registry-before.js";

/** A registry of which something was damaged. */
export interface Damaged {
  readonly target: Target;
  readonly before: RegistryBefore;
  /** What is there now. */
  readonly files: Readonly<Partial<Record<Suffix, Uint8Array>>>;
  /** What was done, for the failure's text. */
  readonly what: string;
  readonly seed: number;
  readonly tally: Tally;
  /** Whether to go on, with a flush and another look: that takes as long again. */
  readonly goOn: boolean;
}

/** What was found in a damaged registry. */
export interface Found {
  readonly content: Content;
  /** Whether anybody was told. */
  readonly isDetected: boolean;
  /** Whether it was taken for what a person wrote. */
  readonly isHandEdit: boolean;
}

/** Opens it as the next process would; counts what is thrown. */
export async function openDamaged({ target, files, what, seed, tally, goOn }: Damaged): Promise<Found | undefined> {
  tally.round();
  const world = new SimWorld(target, SimDisk.of(filesFor(files)));
  try {
    const cache = world.start().cache();
    await cache.init();
    const content = contentOf(cache.getAll());
    const { problems } = cache;
    const kept = [...world.disk.files(FOLDER).keys()].some((file) => /\.(?:torn|corrupt)-/.test(file));
    if (goOn) {
      await cache.flush();
      const again = world.start().cache();
      await again.init();
      const mended = contentOf(again.getAll());
      if (!isSame(mended, content)) {
        tally.fail("lost", seed, `${what}, and a flush: [${mended.join(" ")}], before it [${content.join(" ")}]`);
      }
      await again.close();
      await cache.close();
    }
    return {
      content,
      isDetected: kept || problems.length > 0,
      isHandEdit: problems.some((text) => text.includes("by hand") || text.includes("taken as it is")),
    };
  } catch (error) {
    tally.fail("thrown", seed, `${what}: ${described(error)}`);
    return undefined;
  }
}

/**
 * Holds what was found against what may be there after one file was damaged: all that was flushed, and nothing that never was.
 *
 * @param isSilent whether that cannot be noticed: a journal that ends where a change does
 */
export function judgeDamaged(found: Found, { before, what, seed, tally }: Damaged, isSilent = false): void {
  const { states, flushed, known } = before;
  const whole = states.at(-1) ?? [];
  if (isSame(found.content, whole)) return;
  const text = `${what}: found [${found.content.join(" ")}], before [${whole.join(" ")}]`;
  if (!found.isDetected && !isSilent) tally.fail("wrong", seed, `${text}, and nobody was told`);
  if (found.isHandEdit) return;
  if (found.content.some((server) => !known.has(server))) tally.fail("wrong", seed, text);
  const since = states.slice(flushed).map(byName);
  const now = byName(found.content);
  const names = new Set([...since.flatMap((state) => [...state.keys()]), ...now.keys()]);
  const older = [...names].filter((name) => since.every((state) => state.get(name) !== now.get(name)));
  if (older.length > 0) tally.fail("lost", seed, `${text}: older than the last flush: ${older.join(" ")}`);
}

const byName = (content: Content): ReadonlyMap<string, string> => new Map(content.map((text) => [nameOf(text), text]));
