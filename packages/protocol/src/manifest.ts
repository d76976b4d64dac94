import { readFile, stat } from "node:fs/promises";
import { GatewayError, messageOf } from "@cortex-os/mcp-core";
import { z } from "zod";
import { MAX_SERVICE_MAP_BYTES, MAX_TTL_SECONDS } from "./limits.js";
import { placeOf } from "./place.js";
import { publishedConnectorsSchema } from "./schema.js";
import { parseStrictJson, withDetail } from "./strict-json.js";

/** Signed again at half of it: a gateway that asks every five minutes, give or take a fifth, always has a fresh map. */
const DEFAULT_TTL_SECONDS = 900;
/** Indented JSON is larger than the map that is made of it; what is larger than this is no manifest. */
const MAX_MANIFEST_BYTES = 8 * MAX_SERVICE_MAP_BYTES;

const madeBySigning = z.never("is made by signing: leave it out").optional();

/**
 * What a person writes and a publisher signs (R3b): a service map without what signing makes. Connectors in either spelling; unknown members are
 * kept, and signed with the rest.
 */
export const publisherManifestSchema = z.looseObject({
  brand: z.string().min(1, "must not be empty"),
  /** How long a gateway may go without asking again, in seconds. @default 900 */
  ttlSeconds: z
    .int("must be a whole number")
    .min(1, "must be positive")
    .max(MAX_TTL_SECONDS, `must be at most ${MAX_TTL_SECONDS} (a day)`)
    .default(DEFAULT_TTL_SECONDS),
  connectors: publishedConnectorsSchema,
  id: madeBySigning,
  generatedAt: madeBySigning,
  kid: madeBySigning,
  signature: madeBySigning,
});

/** A manifest that was checked. */
export type PublisherManifest = z.infer<typeof publisherManifestSchema>;

/**
 * The manifest that a JSON text is.
 *
 * @param name how messages name it: the file
 * @throws GatewayError USER_INPUT telling what is wrong, and where in it
 */
export function parseManifest(text: string, name: string): PublisherManifest {
  const json = parseStrictJson(text);
  if (!json.ok) throw bad(name, withDetail(json));
  const checked = publisherManifestSchema.safeParse(json.value);
  if (checked.success) return checked.data;
  const problems = checked.error.issues.map(({ path, message }) => {
    const place = placeOf(path.filter((step) => typeof step !== "symbol"));
    return `${place}: ${message}`;
  });
  throw bad(name, problems.slice(0, 3).join("; "));
}

/** A manifest on disk, parsed anew only when its text is another one. */
export class ManifestFile {
  readonly #file: string;
  #text: string | undefined;
  #outcome: { readonly manifest: PublisherManifest } | { readonly error: unknown } | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /**
   * The manifest as it is now: the same object as long as its text is the same.
   * @throws GatewayError USER_INPUT when it cannot be read, or is no manifest
   */
  async read(): Promise<PublisherManifest> {
    const text = await readText(this.#file);
    if (text !== this.#text || this.#outcome === undefined) {
      this.#text = text;
      this.#outcome = outcomeOf(text, this.#file);
    }
    if ("manifest" in this.#outcome) return this.#outcome.manifest;
    throw this.#outcome.error;
  }
}

function outcomeOf(text: string, file: string): { manifest: PublisherManifest } | { error: unknown } {
  try {
    return { manifest: parseManifest(text, file) };
  } catch (error) {
    return { error };
  }
}

/** The system's own words would name the file a second time. */
const WHY_UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of its path is a file, not a folder",
  EACCES: "this user may not read it",
};

async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size <= MAX_MANIFEST_BYTES) return await readFile(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    throw bad(file, WHY_UNREADABLE[code] ?? `it cannot be read (${code || messageOf(error)})`, error);
  }
  throw bad(file, `is larger than ${MAX_MANIFEST_BYTES} bytes`);
}

const bad = (name: string, why: string, cause?: unknown): GatewayError =>
  new GatewayError("USER_INPUT", `the manifest ${name} cannot be published: ${why}`, { cause });
