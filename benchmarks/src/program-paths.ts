import { fileURLToPath } from "node:url";
import { httpMainPath } from "@cortex-os/fixture-server";

/** The upstream's program. */
export const fixturePath = httpMainPath;
/** The gateway's program, as its users start it. */
export const appPath = fileURLToPath(import.meta.resolve("cortex-mcp/bundle/main.js"));
/** The yardstick's program. */
export const bareProxyPath = fileURLToPath(new URL("../dist/bare-proxy-main.js", import.meta.url));
/** Many upstreams in one process. */
export const manyUpstreamPath = fileURLToPath(new URL("../dist/many-upstream-main.js", import.meta.url));
/** Many clients in one process. */
export const manyClientsPath = fileURLToPath(new URL("../dist/many-clients-main.js", import.meta.url));
/** The yardstick's program for upstreams over stdio. */
export const bareStdioProxyPath = fileURLToPath(new URL("../dist/bare-stdio-proxy-main.js", import.meta.url));
/** The reference gateway's program. */
export const sdkGatewayPath = fileURLToPath(new URL("../dist/sdk-gateway-main.js", import.meta.url));
/** The program of an upstream that is fast enough to show what stands before it. */
export const minimalUpstreamPath = fileURLToPath(new URL("../dist/minimal-upstream-main.js", import.meta.url));
/** Where programs are kept that are installed for the benchmark alone. */
export const cacheFolder = fileURLToPath(new URL("../node_modules/.cache/", import.meta.url));
/** The yardstick's program for lists. */
export const staticListPath = fileURLToPath(new URL("../dist/static-list-main.js", import.meta.url));
