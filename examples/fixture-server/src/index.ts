import { fileURLToPath } from "node:url";

export type { CallCounts } from "./call-counters.js";
export type { FixtureFeatures, FixtureServerOptions } from "./fixture-server-options.js";
export type { RequestCounts } from "./http/request-counters.js";
export {
  startFixtureHttp,
  type FixtureHttp,
  type FixtureHttpOptions,
  type ServedEra,
} from "./http/start-fixture-http.js";
export { startFixtureSse, type FixtureSse, type FixtureSseOptions } from "./http/start-fixture-sse.js";
export { serveFixtureStdio, type FixtureStdioOptions } from "./stdio/serve-fixture-stdio.js";

/** The program that serves over HTTP: run it with `process.execPath`; flags in the README. */
export const httpMainPath: string = fileURLToPath(new URL("./http-main.js", import.meta.url));

/** The program that serves over stdio: run it with `process.execPath`; flags in the README. */
export const stdioMainPath: string = fileURLToPath(new URL("./stdio-main.js", import.meta.url));
