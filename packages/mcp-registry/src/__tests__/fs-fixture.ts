import { nodeFs } from "../fs/node-fs.js";
import type { OpenMode, RegistryFs } from "../fs/registry-fs.js";

/** A call of the port. */
export type FsCall = keyof RegistryFs;

/** One call that was made: which, and the name of the file, without its folder. */
export interface MadeCall {
  readonly call: FsCall;
  readonly file: string;
  readonly fd: number | undefined;
}

interface Rule {
  readonly call: FsCall;
  readonly file: RegExp;
  readonly act: (path: string) => void;
  left: number;
}

/** A system error as Node throws it. */
export const systemError = (code: string): Error => Object.assign(new Error(`${code}: as the test wants it`), { code });

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** The machine's file system, whose calls a test can count, fail and be in time for. */
export class RuledFs implements RegistryFs {
  readonly calls: MadeCall[] = [];
  readonly #rules = new Set<Rule>();
  readonly #halves = new Set<RegExp>();
  readonly #paths = new Map<number, string>();
  #isKilled = false;

  /** Runs `act` before each call on a matching file name, `times` times; what it throws is what the call throws. Returns what ends it. */
  before(call: FsCall, file: RegExp, act: (path: string) => void, times = Infinity): () => void {
    const rule = { call, file, act, left: times };
    this.#rules.add(rule);
    return () => {
      this.#rules.delete(rule);
    };
  }

  /** Makes calls on a matching file name fail. */
  refuse(call: FsCall, file: RegExp, code: string, times = Infinity): () => void {
    return this.before(
      call,
      file,
      () => {
        throw systemError(code);
      },
      times,
    );
  }

  /** Makes the next write to a matching file take a half of the bytes, and the one after it fail. */
  halfWrite(file: RegExp): void {
    this.#halves.add(file);
  }

  /** How often a call was made on a matching file name. */
  count(call: FsCall, file: RegExp): number {
    return this.calls.filter((made) => made.call === call && file.test(made.file)).length;
  }

  /** Ends all that goes through it, as SIGKILL does: nothing is written any more, and no file is open. */
  kill(): void {
    for (const fd of this.#paths.keys()) nodeFs.close(fd);
    this.#paths.clear();
    this.#isKilled = true;
  }

  open(path: string, mode: OpenMode): number {
    this.#enter("open", path);
    const fd = nodeFs.open(path, mode);
    this.#paths.set(fd, path);
    return fd;
  }

  close(fd: number): void {
    this.#enterOpen("close", fd);
    this.#paths.delete(fd);
    nodeFs.close(fd);
  }

  read(fd: number, into: Uint8Array, position: number): number {
    this.#enterOpen("read", fd);
    return nodeFs.read(fd, into, position);
  }

  write(fd: number, bytes: Uint8Array): number {
    this.#enterOpen("write", fd);
    const file = nameOf(this.#paths.get(fd) ?? "");
    const half = [...this.#halves].find((pattern) => pattern.test(file));
    if (half === undefined) return nodeFs.write(fd, bytes);
    this.#halves.delete(half);
    this.refuse("write", half, "ENOSPC", 1);
    return nodeFs.write(fd, bytes.subarray(0, bytes.length / 2));
  }

  truncate(fd: number, length: number): void {
    this.#enterOpen("truncate", fd);
    nodeFs.truncate(fd, length);
  }

  restrict(fd: number): void {
    this.#enterOpen("restrict", fd);
    nodeFs.restrict(fd);
  }

  stat(path: string): ReturnType<RegistryFs["stat"]> {
    this.#enter("stat", path);
    return nodeFs.stat(path);
  }

  statOf(fd: number): ReturnType<RegistryFs["statOf"]> {
    this.#enterOpen("statOf", fd);
    return nodeFs.statOf(fd);
  }

  rename(from: string, to: string): void {
    this.#enter("rename", to);
    nodeFs.rename(from, to);
  }

  link(existing: string, name: string): void {
    this.#enter("link", name);
    nodeFs.link(existing, name);
  }

  symlink(text: string, name: string): void {
    this.#enter("symlink", name);
    nodeFs.symlink(text, name);
  }

  readlink(path: string): string {
    this.#enter("readlink", path);
    return nodeFs.readlink(path);
  }

  unlink(path: string): void {
    this.#enter("unlink", path);
    nodeFs.unlink(path);
  }

  list(folder: string): readonly string[] {
    this.#enter("list", folder);
    return nodeFs.list(folder);
  }

  makeFolder(path: string): void {
    this.#enter("makeFolder", path);
    nodeFs.makeFolder(path);
  }

  async datasync(fd: number): Promise<void> {
    this.#enterOpen("datasync", fd);
    await nodeFs.datasync(fd);
  }

  async sync(fd: number): Promise<void> {
    this.#enterOpen("sync", fd);
    await nodeFs.sync(fd);
  }

  #enterOpen(call: FsCall, fd: number): void {
    this.#enter(call, this.#paths.get(fd) ?? "", fd);
  }

  #enter(call: FsCall, path: string, fd?: number): void {
    if (this.#isKilled) throw systemError("EKILLED");
    const file = nameOf(path);
    this.calls.push({ call, file, fd });
    for (const rule of this.#rules) {
      if (rule.call !== call || !rule.file.test(file) || rule.left <= 0) continue;
      rule.left--;
      rule.act(path);
    }
  }
}
