import { fileURLToPath } from "node:url";
import { httpMainPath } from "@cortex-os/fixture-server";

/** The upstream's program. */
export const fixturePath = httpMainPath;
/** The gateway's program, as its users start it. */
export const appPath = fileURLToPath(import.meta.resolve("cortex-mcp/bundle/main.js"));
/** The yardstick's program. */
export const bareProxyPath = fileURLToPath(new URL("../dist/bare-proxy-main.js", import.meta.url));
