import type { CommandGroup } from "./command-group.js";

/** The commands that take a word of their own. */
export const GROUPS: readonly CommandGroup[] = [
  {
    name: "registry",
    description: "check the files of the registry, show its history, go back in it",
    words: ["verify", "history", "undo", "restore"],
    load: async () => (await import("./registry-words.js")).registerRegistryWords,
  },
  {
    name: "map",
    description: "publish a signed service map, check one, or say which one to serve",
    words: ["keygen", "sign", "verify", "serve", "refresh", "diff", "pin", "rollback", "accept"],
    load: async () => (await import("./map-words.js")).registerMapWords,
  },
  {
    name: "config",
    description: "check the configuration, or find out how it is written",
    words: ["validate", "schema", "path"],
    load: async () => (await import("./config-words.js")).registerConfigWords,
  },
];
