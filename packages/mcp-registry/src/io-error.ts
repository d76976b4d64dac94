import { GatewayError, messageOf } from "@cortex-os/mcp-core";

/** What a person can do about the commonest refusals of a file system. */
const ADVICE: Readonly<Record<string, string>> = {
  EACCES: "permission denied: check who owns the file and its folder",
  EPERM: "not permitted: check who owns the file and its folder",
  EROFS: "the file system is read-only",
  ENOSPC: "no space left on the device: free some and try again",
  EDQUOT: "the disk quota is used up: free some space and try again",
  EISDIR: "there is a folder in its place: move it away",
  ENOTDIR: "a part of its path is a file, not a folder: move that file away",
  EEXIST: "a part of its path is a file, not a folder: move that file away",
  ELOOP: "it is a symbolic link that leads back to itself",
};

/** The error code of a failed system call, or `undefined` for anything else. */
export function errnoOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" ? thrown.code : undefined;
}

/** Why a file could not be used, and what a person can do about it; the system's own words where there is nothing to advise. */
export function adviceOn(thrown: unknown): string {
  return ADVICE[errnoOf(thrown) ?? ""] ?? messageOf(thrown);
}

/**
 * A `REGISTRY_IO` error that says what could not be done, to which file, and what to do next; the system's own error is
 * its cause. One that is a `GatewayError` already is returned as it is.
 *
 * @param action what was tried, to read after "cannot"
 */
export function registryIoError(action: string, path: string, thrown: unknown): GatewayError {
  return GatewayError.from(thrown, "REGISTRY_IO", `cannot ${action} ${path}: ${adviceOn(thrown)}`);
}
