/** The files of a registry that several commands have changed and nobody uses now. */
export const REGISTRY_FILES = ["servers.json", "servers.json.log", "servers.json.prev"] as const;
