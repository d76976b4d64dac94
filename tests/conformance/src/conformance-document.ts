import { fileURLToPath } from "node:url";

/** Where the tables are committed. */
export const CONFORMANCE_DOCUMENT: string = fileURLToPath(new URL("../../../docs/conformance.md", import.meta.url));

/** The section that the server mode's table stands in. */
export const SERVER_SECTION = "server mode";

/** The section that the client mode's table stands in. */
export const CLIENT_SECTION = "client mode";
