import * as fs from "node:fs";
import { promisify } from "node:util";
import type { FileKind, FileStat, OpenMode, RegistryFs } from "./registry-fs.js";

const { O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = fs.constants;

const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: O_RDONLY | O_NOFOLLOW | O_NONBLOCK,
  append: O_RDWR | O_APPEND | O_NOFOLLOW,
  create: O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW,
  folder: O_RDONLY | O_DIRECTORY,
};
const BIGINT = { bigint: true } as const;
const PERMISSIONS = 0o1777;

/** The machine's file system: {@link RegistryFs} with nothing of its own. */
export const nodeFs: RegistryFs = {
  open: (path, mode) => fs.openSync(path, FLAGS[mode], 0o600),
  close: fs.closeSync,
  read: (fd, into, position) => fs.readSync(fd, into, 0, into.length, position),
  write: (fd, bytes) => fs.writeSync(fd, bytes),
  truncate: fs.ftruncateSync,
  restrict: (fd) => {
    fs.fchmodSync(fd, 0o600);
  },
  stat: (path) => statOf(fs.lstatSync(path, BIGINT)),
  statOf: (fd) => statOf(fs.fstatSync(fd, BIGINT)),
  rename: fs.renameSync,
  link: fs.linkSync,
  symlink: (text, name) => {
    fs.symlinkSync(text, name);
  },
  readlink: (path) => fs.readlinkSync(path),
  unlink: fs.unlinkSync,
  list: (folder) => fs.readdirSync(folder),
  makeFolder: (path) => {
    fs.mkdirSync(path, { mode: 0o700 });
  },
  datasync: promisify(fs.fdatasync),
  sync: promisify(fs.fsync),
};

function statOf(stat: fs.BigIntStats): FileStat {
  return {
    kind: kindOf(stat),
    identity: `${stat.dev}-${stat.ino}`,
    size: Number(stat.size),
    mtimeNs: stat.mtimeNs,
    mode: Number(stat.mode) & PERMISSIONS,
    uid: Number(stat.uid),
  };
}

function kindOf(stat: fs.BigIntStats): FileKind {
  if (stat.isFile()) return "file";
  if (stat.isDirectory()) return "folder";
  return stat.isSymbolicLink() ? "link" : "other";
}
