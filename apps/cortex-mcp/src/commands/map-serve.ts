import path from "node:path";
import { serveServiceMap, type ServedServiceMap } from "@cortex-os/protocol";
import { isLoopbackHost } from "../config/loopback.js";
import type { Io } from "../io.js";
import { createLogger } from "../serve/create-logger.js";
import { listenForStop, type StopRequest } from "../serve/stop-request.js";
import { userError } from "../user-error.js";
import { programVersion } from "../shipped-files.js";
import { withJson, type JsonFlag, type RegisterCommand } from "./command-context.js";
import { signingKey, type SigningFlags } from "./map-signing-key.js";
import { publisherApiKey } from "./publisher-api-key.js";

interface ServeFlags extends JsonFlag, SigningFlags {
  readonly host: string;
  readonly port: string;
}

const DEFAULT_PORT = 7430;
const HIGHEST_PORT = 65_535;

/** `map serve MANIFEST`: publishes the signed map over HTTP, until a signal ends it. */
export const registerMapServe: RegisterCommand = (map, { io, finish }) => {
  withJson(map.command("serve"))
    .description("publish the signed service map of a manifest over HTTP")
    .argument("<manifest>", "JSON file: brand, ttlSeconds, connectors; read anew when it changes")
    .option("--host <host>", "address to listen on; others than loopback need an API key", "127.0.0.1")
    .option("--port <port>", "TCP port to listen on, 0 for a free one", String(DEFAULT_PORT))
    .option("--keys <file>", "private key set to sign with (default: CONNECTORS_SIGNATURE_KEY)")
    .option("--kid <name>", "the key of the set to sign with (default: its first)")
    .addHelpText(
      "after",
      "\nGateways must show the API key CORTEX_MCP_SERVICE_MAP_API_KEY, else CONNECTORS_API_KEY, when one is set.",
    )
    .action(async (manifest: string, flags: ServeFlags) => {
      finish(await serve(io, manifest, flags));
    });
};

async function serve(io: Io, manifest: string, flags: ServeFlags): Promise<number> {
  const stop = listenForStop(io);
  const logger = createLogger({ level: "info", write: io.err, pretty: io.terminal.err });
  const forgetFatal = io.onFatal((error) => {
    logger.error({ err: error }, "A bug ended the publisher");
  });
  try {
    const { host, port } = addressOf(flags);
    const apiKey = publisherApiKey(io.env);
    if (apiKey === undefined && !isLoopbackHost(host)) {
      throw userError(
        `--host ${host} is open to other machines: set CORTEX_MCP_SERVICE_MAP_API_KEY, so that only your gateways read the map`,
      );
    }
    const { clock, timers } = io.system;
    const manifestFile = path.resolve(io.cwd, manifest);
    const served = await serveServiceMap({
      ...{ host, port, clock, timers, logger },
      manifestFile,
      key: () => signingKey(io, flags),
      ...(apiKey === undefined ? {} : { apiKey }),
    });
    logger.info({ url: served.url, manifestFile, needsApiKey: apiKey !== undefined }, "Publishing the service map");
    await untilStopped(io, served, stop, flags.json === true);
    logger.info({}, "The service map is no longer published");
    return 0;
  } finally {
    forgetFatal();
    stop.dispose();
  }
}

async function untilStopped(io: Io, served: ServedServiceMap, stop: StopRequest, json: boolean): Promise<void> {
  const { url } = served;
  io.out(
    json
      ? JSON.stringify({ url, pid: process.pid, version: programVersion() })
      : `cortex-mcp publishes the service map at ${url}`,
  );
  await stop.requested;
  await served.close();
}

function addressOf({ host, port }: ServeFlags): { readonly host: string; readonly port: number } {
  const number = /^\d{1,5}$/.test(port) ? Number(port) : Number.NaN;
  if (number <= HIGHEST_PORT) return { host, port: number };
  throw userError(`--port must be a number from 0 to ${HIGHEST_PORT}, not ${JSON.stringify(port)}`);
}
