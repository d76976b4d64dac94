/** Something that was found about the files of a registry, for people to read. Holds no values of entries: they may be secrets. */
export interface Finding {
  /** `info`: as it may be. `warning`: somebody should know. `error`: something is lost, or may be. */
  readonly level: "info" | "warning" | "error";
  readonly text: string;
}

/** "1 server", "2 servers". */
export const countOf = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
