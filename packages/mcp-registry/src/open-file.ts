import type { RegistryFs } from "./fs/registry-fs.js";

/** A descriptor that is closed when nobody uses it any more: the disk may still be at work on one that was let go of. */
export class OpenFile {
  readonly fd: number;
  /** Which file it is. */
  readonly identity: string;
  readonly #fs: RegistryFs;
  #users = 0;
  #released = false;

  /** Takes the descriptor over, and closes it when it throws. */
  constructor(fs: RegistryFs, fd: number) {
    this.#fs = fs;
    this.fd = fd;
    try {
      this.identity = fs.statOf(fd).identity;
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /** Keeps it open until `work` is done. */
  async during<T>(work: (fd: number) => Promise<T>): Promise<T> {
    this.#users++;
    try {
      return await work(this.fd);
    } finally {
      this.#users--;
      this.#closeIfUnused();
    }
  }

  /** Lets go of it. Idempotent. */
  release(): void {
    this.#released = true;
    this.#closeIfUnused();
  }

  #closed = false;

  #closeIfUnused(): void {
    if (!this.#released || this.#users > 0 || this.#closed) return;
    this.#closed = true;
    try {
      this.#fs.close(this.fd);
    } catch {
      // It is closed all the same, and what was to be durable was synced before.
    }
  }
}
