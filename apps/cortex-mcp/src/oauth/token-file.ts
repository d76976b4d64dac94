import { readFileSync } from "node:fs";
import { chmod, rm } from "node:fs/promises";
import path from "node:path";
import type { AuthorizationChange, OAuthStore, StoredAuthorization } from "@cortex-os/mcp-bridge";
import { acquireLock, ensureFolder, replaceFile } from "@cortex-os/mcp-registry";
import { z } from "zod";

/** How long one renewal is waited for, in milliseconds: longer than an authorization server may take. */
const RENEWAL_MS = 15_000;

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

  async update(change: AuthorizationChange): Promise<void> {
    await this.#locked(async (token) => {
      const changed = change(this.read());
      if (changed === undefined) return;
      const content = `${JSON.stringify(changed, null, 2)}\n`;
      await replaceFile(this.#file, content, `${this.#file}.${token}.tmp`);
    });
  }

  async renewing(): Promise<() => Promise<void>> {
    await this.#ensureFolder();
    const lock = await acquireLock(`${this.#file}.renewal.lock`, { waitMs: RENEWAL_MS });
    return () => lock.release();
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
    await this.#ensureFolder();
    const lock = await acquireLock(`${this.#file}.lock`);
    try {
      await Promise.all(lock.abandoned.map((token) => rm(`${this.#file}.${token}.tmp`, { force: true })));
      return await task(lock.token);
    } finally {
      await lock.release();
    }
  }

  /** What was there before may have been open to others: whoever can write into it could put an account of his own in the place of ours. */
  async #ensureFolder(): Promise<void> {
    const folder = path.dirname(this.#file);
    await ensureFolder(folder);
    await chmod(folder, 0o700);
  }
}
