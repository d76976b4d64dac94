import { fileURLToPath } from "node:url";
import { httpMainPath } from "@cortex-os/fixture-server";

/** The upstream's program. */
export const fixturePath = httpMainPath;
/** The gateway's program, as its users start it. */
export const appPath = fileURLToPath(import.meta.resolve("cortex-mcp/dist/main.js"));
/** The yardstick's program. */
export const bareProxyPath = fileURLToPath(new URL("../dist/bare-proxy-main.js", import.meta.url));
/** Many upstreams in one process. */
export const manyUpstreamPath = fileURLToPath(new URL("../dist/many-upstream-main.js", import.meta.url));
/** Many clients in one process. */
export const manyClientsPath = fileURLToPath(new URL("../dist/many-clients-main.js", import.meta.url));
