import type { PublishedServer } from "./published-server.js";
import { APP_SERVERS } from "./servers/app-servers.js";
import { CODE_SERVERS } from "./servers/code-servers.js";
import { DATA_SERVERS } from "./servers/data-servers.js";
import { HELPER_SERVERS } from "./servers/helper-servers.js";
import { REFERENCE_SERVERS } from "./servers/reference-servers.js";

/**
 * Every server that is tried. None needs an account, a network or an install script. Before one is
 * added or gets a newer version, somebody has looked at what it does: it runs as whoever runs this.
 */
export const PUBLISHED_SERVERS: readonly PublishedServer[] = [
  ...REFERENCE_SERVERS,
  ...APP_SERVERS,
  ...DATA_SERVERS,
  ...CODE_SERVERS,
  ...HELPER_SERVERS,
];
