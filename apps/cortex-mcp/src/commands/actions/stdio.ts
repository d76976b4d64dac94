import type { Io } from "../../io.js";
import { createLogger } from "../../serve/create-logger.js";
import type { HostedGateway } from "../../serve/host-gateway.js";
import { listenForStop, type StopRequest } from "../../serve/stop-request.js";
import { statePaths } from "../../state/state-paths.js";
import { HomeGateway } from "../../stdio/home-gateway.js";
import { initialConfig } from "../../stdio/initial-config.js";
import { Relay } from "../../stdio/relay.js";

/**
 * How long calls in flight may take to finish, in milliseconds, when a signal comes after the end of the input: so the SDKs' clients end a server, and 2 s later they
 * kill it.
 */
const HURRIED_DRAIN_MS = 1_000;

/** Serves the client on standard input and output until it leaves. Resolves with the exit code. */
export async function stdio(io: Io): Promise<number> {
  const stop = listenForStop(io);
  const paths = statePaths(io.env);
  try {
    const configSources = { file: paths.config, fileRequired: false, env: io.env, cwd: io.cwd, flags: {} };
    const initial = await initialConfig(configSources);
    const { log, limits } = initial.config;
    const logger = createLogger({ level: log.level, write: io.err, pretty: io.terminal.err });
    const forgetFatal = io.onFatal((error) => {
      logger.error({ err: error }, "A bug ended the gateway");
    });
    const finder = new HomeGateway({ io, paths, configSources, initial, logger });
    const streams = io.streams();
    const relay = new Relay({
      ...streams,
      finder,
      maxMessageBytes: limits.bodyBytes,
      logger,
      timers: io.system.timers,
    });
    void stop.requested.then(() => {
      relay.end();
    });
    try {
      await relay.run();
    } finally {
      if (finder.hosted !== undefined) {
        logger.info({}, "The client is gone; the gateway ends with the last one that it serves");
        await endHosted(finder.hosted, stop);
      }
      forgetFatal();
    }
    // Nobody will read it any more, and an orderly exit would wait until somebody did.
    if (streams.output.writableLength > 0) io.exit(0);
    return 0;
  } finally {
    stop.dispose();
  }
}

/** The other clients' calls are not cut because this process's own client is gone. */
async function endHosted(hosted: HostedGateway, { requested, isRequested }: StopRequest): Promise<void> {
  if (isRequested()) {
    await hosted.stop();
    return;
  }
  await Promise.race([hosted.unrelayed(), requested]);
  await hosted.stop({ drainMs: HURRIED_DRAIN_MS });
}
