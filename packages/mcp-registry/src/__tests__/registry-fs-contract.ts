import { beforeEach, describe, expect, test } from "vitest";
import type { OpenMode, RegistryFs } from "../fs/registry-fs.js";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytesOf = (written: string): Uint8Array => new TextEncoder().encode(written);

/**
 * What every {@link RegistryFs} owes the registry. A new one is done when this passes.
 *
 * @param create makes a file system and names an empty folder in it
 */
export function describeRegistryFs(
  name: string,
  create: () => { readonly fs: RegistryFs; readonly folder: string },
): void {
  describe(`${name} keeps the RegistryFs contract`, () => {
    let fs: RegistryFs;
    let at: (file: string) => string;

    beforeEach(() => {
      const created = create();
      fs = created.fs;
      at = (file) => `${created.folder}/${file}`;
    });

    function write(file: string, written: string): void {
      using(at(file), "create", (fd) => {
        expect(fs.write(fd, bytesOf(written))).toBe(written.length);
      });
    }

    function using(path: string, mode: OpenMode, use: (fd: number) => void): void {
      const fd = fs.open(path, mode);
      try {
        use(fd);
      } finally {
        fs.close(fd);
      }
    }

    function read(fd: number, length = 64, position = 0): string {
      const into = new Uint8Array(length);
      return text(into.subarray(0, fs.read(fd, into, position)));
    }

    function content(file: string): string {
      let found = "";
      using(at(file), "read", (fd) => void (found = read(fd)));
      return found;
    }

    const failing = (code: string): unknown => expect.objectContaining({ code });

    test("makes a file of this user's only, unless there is something of that name, be it a link that leads nowhere", () => {
      write("a", "one");
      fs.symlink("nowhere", at("b"));
      fs.makeFolder(at("c"));
      expect(fs.stat(at("a"))).toMatchObject({ kind: "file", mode: 0o600, size: 3, uid: process.getuid?.() ?? 0 });
      for (const file of ["a", "b", "c"]) expect(() => fs.open(at(file), "create")).toThrow(failing("EEXIST"));
    });

    test("opens nothing that is not there", () => {
      for (const mode of ["read", "append", "folder"] as const) {
        expect(() => fs.open(at("a"), mode)).toThrow(failing("ENOENT"));
      }
      expect(() => fs.open(at("a/b"), "create")).toThrow(failing("ENOENT"));
    });

    test("every write goes to the end, also when another descriptor moved it", () => {
      write("a", "12");
      using(at("a"), "append", (fd) => {
        using(at("a"), "append", (other) => void fs.write(other, bytesOf("345")));
        fs.write(fd, bytesOf("6"));
        fs.truncate(fd, 1);
        fs.write(fd, bytesOf("7"));
        expect(read(fd)).toBe("17");
      });
      expect(content("a")).toBe("17");
    });

    test("reads what there is from a position on, and nothing at the end", () => {
      write("a", "12345");
      using(at("a"), "read", (fd) => {
        expect([read(fd, 2), read(fd, 2, 2), read(fd, 2, 4), read(fd, 2, 5), read(fd, 2, 9)]).toEqual([
          ...["12", "34", "5"],
          ...["", ""],
        ]);
      });
    });

    test("a file that is cut longer ends in zeros", () => {
      write("a", "12345");
      using(at("a"), "append", (fd) => {
        fs.truncate(fd, 2);
        fs.truncate(fd, 4);
      });
      expect(content("a")).toBe("12\0\0");
    });

    test("writes only to what was opened for it", () => {
      write("a", "1");
      using(at("a"), "read", (fd) => {
        expect(() => fs.write(fd, bytesOf("2"))).toThrow(failing("EBADF"));
        expect(() => fs.truncate(fd, 0)).toThrow(failing("EINVAL"));
      });
    });

    test("a descriptor that was closed is none", async () => {
      write("a", "1");
      const fd = fs.open(at("a"), "append");
      fs.close(fd);
      expect(() => fs.read(fd, new Uint8Array(1), 0)).toThrow(failing("EBADF"));
      expect(() => fs.statOf(fd)).toThrow(failing("EBADF"));
      await expect(fs.sync(fd)).rejects.toEqual(failing("EBADF"));
    });

    test("a rename replaces what was there; who has that open keeps it", () => {
      write("a", "new");
      write("b", "old");
      using(at("b"), "read", (fd) => {
        const { identity } = fs.stat(at("a"));
        fs.rename(at("a"), at("b"));
        expect(read(fd)).toBe("old");
        expect(content("b")).toBe("new");
        expect(fs.stat(at("b")).identity).toBe(identity);
        expect(fs.statOf(fd).identity).not.toBe(identity);
      });
      expect(fs.list(at(""))).toEqual(["b"]);
      expect(() => fs.rename(at("a"), at("b"))).toThrow(failing("ENOENT"));
    });

    test("a rename from one name of a file to another of it does nothing, as POSIX has it", () => {
      write("a", "1");
      fs.link(at("a"), at("b"));
      fs.rename(at("a"), at("b"));
      expect(fs.list(at("")).toSorted()).toEqual(["a", "b"]);
    });

    test("a link is a second name of one file, and takes nobody's place", () => {
      write("a", "1");
      write("c", "2");
      fs.link(at("a"), at("b"));
      expect(fs.stat(at("b")).identity).toBe(fs.stat(at("a")).identity);
      expect(() => fs.link(at("a"), at("c"))).toThrow(failing("EEXIST"));
      expect(() => fs.link(at("nothing"), at("d"))).toThrow(failing("ENOENT"));
      fs.unlink(at("a"));
      expect(content("b")).toBe("1");
    });

    test("a symbolic link says its text, takes nobody's place, and is not followed", () => {
      write("a", "1");
      fs.symlink("a", at("b"));
      expect(fs.readlink(at("b"))).toBe("a");
      expect(fs.stat(at("b"))).toMatchObject({ kind: "link", size: 1 });
      expect(() => fs.symlink("c", at("b"))).toThrow(failing("EEXIST"));
      expect(() => fs.readlink(at("a"))).toThrow(failing("EINVAL"));
      expect(() => fs.readlink(at("c"))).toThrow(failing("ENOENT"));
      expect(() => fs.open(at("b"), "read")).toThrow(failing("ELOOP"));
      expect(() => fs.open(at("b"), "append")).toThrow(failing("ELOOP"));
    });

    test("a symbolic link before the last name of a path is followed, one that leads to itself is not", () => {
      fs.makeFolder(at("real"));
      fs.symlink("real/../real", at("linked"));
      fs.symlink("turning", at("turning"));
      write("linked/a", "1");
      expect(content("real/a")).toBe("1");
      expect(fs.list(at("linked"))).toEqual(["a"]);
      expect(() => fs.stat(at("turning/a"))).toThrow(failing("ELOOP"));
    });

    test("who has a file open keeps it when its name is gone", () => {
      write("a", "1");
      using(at("a"), "append", (fd) => {
        fs.unlink(at("a"));
        fs.write(fd, bytesOf("2"));
        expect(read(fd)).toBe("12");
      });
      expect(() => fs.stat(at("a"))).toThrow(failing("ENOENT"));
      expect(() => fs.unlink(at("a"))).toThrow(failing("ENOENT"));
    });

    test("makes one folder, of this user's only", () => {
      fs.makeFolder(at("a"));
      expect(fs.stat(at("a"))).toMatchObject({ kind: "folder", mode: 0o700 });
      expect(() => fs.makeFolder(at("a"))).toThrow(failing("EEXIST"));
      expect(() => fs.makeFolder(at("b/c"))).toThrow(failing("ENOENT"));
      expect(() => fs.open(at("a"), "append")).toThrow(failing("EISDIR"));
    });

    test("a file is no folder", () => {
      write("a", "1");
      expect(() => fs.list(at("a"))).toThrow(failing("ENOTDIR"));
      expect(() => fs.open(at("a"), "folder")).toThrow(failing("ENOTDIR"));
      expect(() => fs.stat(at("a/b"))).toThrow(failing("ENOTDIR"));
      expect(() => fs.list(at("b"))).toThrow(failing("ENOENT"));
    });

    test("a file's time moves when it is written, its identity never", async () => {
      write("a", "1");
      const before = fs.stat(at("a"));
      // A clock of a file system may stand for as long as 10 ms.
      await expect
        .poll(() => {
          using(at("a"), "append", (fd) => void fs.write(fd, bytesOf("2")));
          return fs.stat(at("a")).mtimeNs;
        })
        .toBeGreaterThan(before.mtimeNs);
      using(at("a"), "read", (fd) => {
        expect(fs.statOf(fd)).toEqual(fs.stat(at("a")));
      });
      expect(fs.stat(at("a")).identity).toBe(before.identity);
    });

    test("takes permissions away", () => {
      write("a", "1");
      using(at("a"), "append", (fd) => {
        fs.restrict(fd);
      });
      expect(fs.stat(at("a")).mode).toBe(0o600);
    });

    test("syncs a file and a folder", async () => {
      write("a", "1");
      const file = fs.open(at("a"), "append");
      const folder = fs.open(at(""), "folder");
      await expect(Promise.all([fs.datasync(file), fs.sync(file), fs.sync(folder)])).resolves.toHaveLength(3);
      fs.close(file);
      fs.close(folder);
    });
  });
}
