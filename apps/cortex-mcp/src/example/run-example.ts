import path from "node:path";
import { createMetrics } from "@cortex-os/mcp";
import { LiveConfig } from "../config/live-config.js";
import { loadConfig } from "../config/load.js";
import type { Io } from "../io.js";
import { createLogger } from "../serve/create-logger.js";
import type { ServedGateway } from "../serve/host-gateway.js";
import { startUnlessStopped } from "../serve/start-unless-stopped.js";
import { listenForStop } from "../serve/stop-request.js";
import { statePaths } from "../state/state-paths.js";
import { programVersion } from "../shipped-files.js";
import { announcement, type Shown } from "./announcement.js";
import { examplePlaces } from "./example-entries.js";
import { ExampleMap } from "./example-map.js";
import { exampleMapSource, exampleSources } from "./example-sources.js";
import { hostOnAnyPort } from "./host-on-any-port.js";
import { showProgress } from "./progress.js";
import { untilSettled } from "./until-settled.js";

/** Flags of the example. */
export interface ExampleFlags {
  /** Serves no server of the example's, and writes none. */
  readonly empty: boolean;
}

/**
 * Serves a home with the example in it until a signal ends it: what `pnpm start` does.
 *
 * @returns the exit code
 * @throws GatewayError USER_INPUT when a gateway of this home is running, or the configuration is refused
 */
export async function runExample({ empty }: ExampleFlags, io: Io): Promise<number> {
  const stop = listenForStop(io);
  const { system } = io;
  const paths = statePaths(io.env);
  const places = examplePlaces(paths.folder);
  const map = new ExampleMap(places.map, system);
  // The progress is what is to be seen: of the log, only what is wrong.
  const base = { log: { level: "warn" } };
  let hosted: ServedGateway | undefined;
  try {
    const from = { file: paths.config, fileRequired: false, env: io.env, cwd: io.cwd, flags: {}, base };
    const config = await loadConfig(from);
    const logger = createLogger({ level: config.log.level, write: io.err, pretty: io.terminal.err });
    const metrics = createMetrics({ ofProcess: true });
    const origin = { io, paths, places, config, logger, metrics, empty, map };
    const configuration = new LiveConfig({
      ...{ sources: from, inForce: config, logger, timers: system.timers },
      followMap: (wanted) => exampleMapSource({ ...origin, config: wanted }),
    });
    const sources = async () => exampleSources(origin);
    const options = { version: programVersion(), config, configuration, paths, sources, metrics, system, logger };
    const started = await startUnlessStopped(
      (signal) => hostOnAnyPort({ ...options, signal }, io.out),
      stop,
      system.timers,
    );
    if (typeof started === "number") return started;
    hosted = started;
    await showConnecting(io, hosted, stop.requested);
    for (const line of announcement(hosted.url, shownOf(map, io))) io.out(line);
    await stop.requested;
    io.out("Stopping …");
    return 0;
  } finally {
    await hosted?.stop();
    await map.close();
    stop.dispose();
  }
}

function shownOf({ published, files }: ExampleMap, io: Io): Shown {
  if (published === undefined) return {};
  const { fixture } = published;
  const relative = path.relative(io.cwd, files.manifest);
  return {
    sample: fixture === undefined ? undefined : `${fixture}__echo '{"message":"hello"}'`,
    manifest: relative.startsWith("..") ? files.manifest : relative,
  };
}

async function showConnecting(io: Io, { gateway }: ServedGateway, stopped: Promise<unknown>): Promise<void> {
  const { connectors, serviceMap } = gateway.status();
  if (connectors.length === 0 && serviceMap === undefined) return;
  io.out("Connecting to the servers:");
  const hide = showProgress(gateway, io.system.monotonic, io.out);
  await Promise.race([untilSettled(gateway, io.system.timers), stopped]);
  hide();
}
