import path from "node:path";
import type { GatewayError } from "@cortex-os/mcp-core";
import type { RegistryFs } from "./fs/registry-fs.js";
import { registryIoError } from "./io-error.js";
import { SharedPass } from "./shared-pass.js";

/** Whether the entries of a folder, and of those above it that were made for it, are durable: a file that is has no name after a power cut without them. */
export class FolderEntries {
  readonly #folder: string;
  readonly #fs: RegistryFs;
  readonly #unsynced = new Set<string>();
  readonly #pass = new SharedPass(async () => this.#syncAll());
  #areFoldersInDoubt = false;
  #failure: GatewayError | undefined;

  constructor(folder: string, fs: RegistryFs) {
    this.#folder = folder;
    this.#fs = fs;
  }

  /** An entry of the folder has changed, or may have been by somebody who did not make it durable. */
  changed(folder = this.#folder): void {
    this.#unsynced.add(folder);
  }

  /**
   * Whoever made the journal, and perhaps its folders, may have been gone before their entries were durable: all that are this owner's are to be
   * made durable, up to the first folder that is not.
   */
  distrust(): void {
    this.changed();
    this.#areFoldersInDoubt = true;
  }

  /** New files have taken the places of those whose entries could not be made durable. */
  renewed(): void {
    this.#failure = undefined;
    this.changed();
  }

  /**
   * Makes all of them durable.
   *
   * @throws GatewayError `REGISTRY_IO`, and from then on that again, until {@link renewed}: another sync could report success with the entries lost
   */
  sync(): Promise<void> {
    return this.#pass.run();
  }

  async #syncAll(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#areFoldersInDoubt) {
      for (const folder of this.#foldersAbove()) this.#unsynced.add(folder);
      this.#areFoldersInDoubt = false;
    }
    for (const folder of [...this.#unsynced]) {
      this.#unsynced.delete(folder);
      try {
        await this.#syncFolder(folder);
      } catch (error) {
        this.#unsynced.add(folder);
        this.#failure = registryIoError("make durable", folder, error);
        throw this.#failure;
      }
    }
  }

  /** The folders above ours that belong to its owner. */
  #foldersAbove(): readonly string[] {
    const found: string[] = [];
    const owner = this.#ownerOf(this.#folder);
    for (let folder = path.dirname(this.#folder); this.#ownerOf(folder) === owner; folder = path.dirname(folder)) {
      found.push(folder);
      if (folder === path.dirname(folder)) break;
    }
    return found;
  }

  #ownerOf(folder: string): number | undefined {
    try {
      return this.#fs.stat(folder).uid;
    } catch (error) {
      throw registryIoError("read", folder, error);
    }
  }

  async #syncFolder(folder: string): Promise<void> {
    const fd = this.#fs.open(folder, "folder");
    try {
      await this.#fs.sync(fd);
    } finally {
      this.#fs.close(fd);
    }
  }
}
