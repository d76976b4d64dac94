import { expect } from "vitest";
import type { RegistryBytes } from "../recovery/evidence.js";
import { recover } from "../recovery/recover.js";

/** Files, and what they stand for. */
export interface RecoveryRow {
  readonly files: RegistryBytes;
  /** Which servers are served. */
  readonly names: readonly string[];
  /** What `servers.json` counts as, and how far all of them and it alone go. */
  readonly is: readonly [basis: string, seq: number, snapshotSeq: number | undefined];
  /** What people are told, word for word. */
  readonly told?: readonly string[];
}

/** Recovers the files of a row, and compares. */
export function expectRecovered({ files, names, is, told = [] }: RecoveryRow): void {
  const state = recover(files);
  expect(state.table.served.map(({ name }) => name)).toEqual(names);
  expect([state.basis, state.seq, state.snapshotSeq]).toEqual(is);
  expect(state.findings.map(({ level, text }) => `${level}: ${text}`)).toEqual(told);
}
