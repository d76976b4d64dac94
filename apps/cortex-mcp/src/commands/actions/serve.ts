import path from "node:path";
import { createMetrics } from "@cortex-os/mcp";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { loadConfig, type ConfigSources } from "../../config/load.js";
import type { Config } from "../../config/schema.js";
import type { Io } from "../../io.js";
import { createLogger } from "../../serve/create-logger.js";
import { homeConnectors } from "../../serve/home-connectors.js";
import { hostGateway } from "../../serve/host-gateway.js";
import { startUnlessStopped } from "../../serve/start-unless-stopped.js";
import { listenForStop, type StopRequest } from "../../serve/stop-request.js";
import { statePaths, type StatePaths } from "../../state/state-paths.js";
import { programVersion } from "../../shipped-files.js";
import type { JsonFlag } from "../command-context.js";

/** Flags of `serve`. */
export interface ServeFlags extends JsonFlag {
  readonly host?: string;
  readonly port?: string;
  readonly config?: string;
}

/** Serves until a signal ends it. Resolves with the exit code. */
export async function serve(io: Io, flags: ServeFlags): Promise<number> {
  const stop = listenForStop(io);
  try {
    const paths = statePaths(io.env);
    const configSources = configSourcesOf(io, paths, flags);
    const config = await loadConfig(configSources);
    return await serveUntil(io, { paths, configSources, config, json: flags.json === true, stop });
  } finally {
    stop.dispose();
  }
}

interface Serving {
  readonly paths: StatePaths;
  readonly configSources: ConfigSources;
  readonly config: Config;
  readonly json: boolean;
  readonly stop: StopRequest;
}

async function serveUntil(io: Io, { paths, configSources, config, json, stop }: Serving): Promise<number> {
  const version = programVersion();
  const logger = createLogger({ level: config.log.level, write: io.err, pretty: io.terminal.err });
  const metrics = createMetrics({ ofProcess: true });
  const forgetFatal = io.onFatal((error) => {
    logger.error({ err: error }, "A bug ended the gateway");
  });
  try {
    const { configuration, sources } = homeConnectors(io, { paths, configSources, config, logger, metrics });
    const options = { version, config, configuration, paths, sources, metrics, system: io.system, logger };
    const hosted = await startUnlessStopped((signal) => hostGateway({ ...options, signal }), stop, io.system.timers);
    if (typeof hosted === "number") {
      logger.info({ signal: await stop.requested }, "Stopped before it had started");
      return hosted;
    }
    logger.info({ url: hosted.url, version }, "Gateway is ready");
    io.out(
      json ? JSON.stringify({ url: hosted.url, pid: process.pid, version }) : `cortex-mcp is ready at ${hosted.url}`,
    );
    logger.info({ signal: await stop.requested }, "Shutting down");
    await hosted.stop();
    logger.info({}, "Gateway is closed");
    return 0;
  } finally {
    forgetFatal();
  }
}

function configSourcesOf(io: Io, paths: StatePaths, flags: ServeFlags): ConfigSources {
  const { host, port, config } = flags;
  const layer: JsonObject = {
    ...(host === undefined ? {} : { host }),
    // What is no number stays text: the schema refuses it and names it.
    ...(port === undefined ? {} : { port: /^\d+$/.test(port) ? Number(port) : port }),
  };
  const file = config === undefined ? paths.config : path.resolve(io.cwd, config);
  return { file, fileRequired: config !== undefined, env: io.env, cwd: io.cwd, flags: layer };
}
