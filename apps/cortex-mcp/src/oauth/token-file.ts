import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import type { OAuthStore, StoredAuthorization } from "@cortex-os/mcp-bridge";
import { acquireLock, ensureFolder, replaceFile } from "@cortex-os/mcp-registry";
import { z } from "zod";

const text = z.string();

const StoredAuthorizationSchema: z.ZodType<StoredAuthorization> = z.object({
  url: text,
  issuer: text.exactOptional(),
  wanted: text.exactOptional(),
  credentials: z.array(
    z.object({
      issuer: text,
      requested: text.exactOptional(),
      client: z
        .object({
          client_id: text,
          client_secret: text.exactOptional(),
          client_secret_expires_at: z.number().exactOptional(),
          token_endpoint_auth_method: text.exactOptional(),
          redirect_uris: z.array(text).exactOptional(),
        })
        .exactOptional(),
      tokens: z
        .object({ access_token: text, refresh_token: text.exactOptional(), scope: text.exactOptional() })
        .exactOptional(),
    }),
  ),
});

/** One connector's authorization in a file of its own, which only its owner reads (0600, in a folder 0700). */
export class TokenFile implements OAuthStore {
  readonly #file: string;

  /** @param key the connector's, which a file can be named after */
  constructor(folder: string, key: string) {
    this.#file = path.join(folder, `${key}.json`);
  }

  read(): StoredAuthorization | undefined {
    try {
      return StoredAuthorizationSchema.parse(JSON.parse(readFileSync(this.#file, "utf8")));
    } catch {
      // None is there, or none that can be used: a new login makes one.
      return undefined;
    }
  }

  async update(change: (current: StoredAuthorization | undefined) => StoredAuthorization): Promise<void> {
    await this.#locked(async (token) => {
      const content = `${JSON.stringify(change(this.read()), null, 2)}\n`;
      await replaceFile(this.#file, content, `${this.#file}.${token}.tmp`);
    });
  }

  /**
   * Forgets everything.
   *
   * @returns whether there was something
   * @throws GatewayError REGISTRY_IO
   */
  async remove(): Promise<boolean> {
    return this.#locked(async () => {
      const isThere = this.read() !== undefined;
      await rm(this.#file, { force: true });
      return isThere;
    });
  }

  /** Between processes, too: a login and the running gateway may write at once. */
  async #locked<T>(task: (token: string) => Promise<T>): Promise<T> {
    await ensureFolder(path.dirname(this.#file));
    const lock = await acquireLock(`${this.#file}.lock`);
    try {
      await Promise.all(lock.abandoned.map((token) => rm(`${this.#file}.${token}.tmp`, { force: true })));
      return await task(lock.token);
    } finally {
      await lock.release();
    }
  }
}
