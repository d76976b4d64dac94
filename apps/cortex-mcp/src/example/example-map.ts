import { mkdir } from "node:fs/promises";
import path from "node:path";
import { startFixtureHttp } from "@cortex-os/fixture-server";
import { GatewayError, type Logger } from "@cortex-os/mcp-core";
import { generateKeySet, publicJwksOf, serveServiceMap } from "@cortex-os/protocol";
import { createPrivateKeySet, readKeySet, writePublicFile } from "../commands/key-set-file.js";
import { signingKey } from "../commands/map-signing-key.js";
import type { SystemPorts } from "../io.js";
import { jsonText } from "../output.js";
import { fixtureId, readExampleManifest, writeExampleManifest } from "./example-manifest.js";
import { exists } from "./prepare-example.js";

/** The files of the example's service map, in a folder that is the publisher's alone. */
export interface ExampleMapFiles {
  /** The private key set. */
  readonly keys: string;
  readonly publicKeys: string;
  readonly manifest: string;
  /** What the gateway keeps of it. Not the home's own: the floor of one publisher must not keep out the maps of another. */
  readonly state: string;
}

/** The files in `folder`. */
const exampleMapFiles = (folder: string): ExampleMapFiles => ({
  keys: path.join(folder, "keys.json"),
  publicKeys: path.join(folder, "public.json"),
  manifest: path.join(folder, "manifest.json"),
  state: path.join(folder, "state", "service-map.json"),
});

/** The example's service map while it is published. */
export interface PublishedExample {
  readonly url: string;
  /** By which id it names the fixture, which then runs. */
  readonly fixture: string | undefined;
}

interface Closable {
  close(): Promise<void>;
}

/**
 * The example's publisher: a signed service map on loopback that names the fixture server, both inside this process. The key is made once and kept, and the manifest is
 * somebody's to edit: a start puts the fixture's new address into it and nothing else.
 */
export class ExampleMap {
  readonly files: ExampleMapFiles;
  readonly #folder: string;
  readonly #system: SystemPorts;
  readonly #opened: Closable[] = [];
  #publishing: Promise<PublishedExample> | undefined;
  #published: PublishedExample | undefined;
  #closed = false;

  constructor(folder: string, system: SystemPorts) {
    this.#folder = folder;
    this.#system = system;
    this.files = exampleMapFiles(folder);
  }

  /**
   * Starts it, once for all who ask. The folder must be nobody else's at that time.
   *
   * @throws GatewayError USER_INPUT when the manifest or the key set that is there cannot be used; CANCELLED after {@link close}
   */
  publish(logger: Logger): Promise<PublishedExample> {
    this.#publishing ??= this.#publish(logger);
    return this.#publishing;
  }

  /** What is published; `undefined` before that. */
  get published(): PublishedExample | undefined {
    return this.#published;
  }

  /** Ends what runs; what is still starting ends itself. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#opened.splice(0).map(async (each) => each.close()));
  }

  async #publish(logger: Logger): Promise<PublishedExample> {
    const { keys, publicKeys, manifest } = this.files;
    const nowhere = { cwd: this.#folder, env: {} };
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const before = await readExampleManifest(manifest);
    const fixture = fixtureId(before);
    if (fixture !== undefined) {
      const { url } = await this.#keep(startFixtureHttp());
      await writeExampleManifest(manifest, before, url);
    }
    if (!(await exists(keys))) await createPrivateKeySet(keys, generateKeySet({ kind: "ed25519" }).privateJwks);
    await writePublicFile(publicKeys, jsonText(publicJwksOf(await readKeySet(nowhere, keys))));
    const { clock, timers } = this.#system;
    const key = async () => signingKey(nowhere, { keys });
    const { url } = await this.#keep(serveServiceMap({ manifestFile: manifest, key, clock, timers, logger }));
    return (this.#published = { url, fixture });
  }

  async #keep<T extends Closable>(opening: Promise<T>): Promise<T> {
    const opened = await opening;
    if (!this.#closed) {
      this.#opened.push(opened);
      return opened;
    }
    await opened.close();
    throw new GatewayError("CANCELLED", "The example is not wanted any more");
  }
}
