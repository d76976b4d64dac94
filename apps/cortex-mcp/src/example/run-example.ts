import { startFixtureHttp, type FixtureHttp } from "@cortex-os/fixture-server";
import { registrySource, type ConnectorSource } from "@cortex-os/mcp";
import type { Logger, ServerInfo } from "@cortex-os/mcp-core";
import { loadConfig } from "../config/load.js";
import type { Io } from "../io.js";
import { openRegistry, type Registry } from "../registry.js";
import { createLogger } from "../serve/create-logger.js";
import { filteredSource } from "../serve/filtered-source.js";
import type { HostedGateway } from "../serve/host-gateway.js";
import { startUnlessStopped } from "../serve/start-unless-stopped.js";
import { listenForStop } from "../serve/stop-request.js";
import { statePaths, type StatePaths } from "../state/state-paths.js";
import { programVersion } from "../version.js";
import { announcement } from "./announcement.js";
import { examplePlaces, FIXTURE } from "./example-entries.js";
import { hostOnAnyPort } from "./host-on-any-port.js";
import { exists, isExample, needsFixture, prepareExample } from "./prepare-example.js";
import { showProgress } from "./progress.js";
import { untilSettled } from "./until-settled.js";

/** Flags of the example. */
export interface ExampleFlags {
  /** Serves no server of the example's, and writes none. */
  readonly empty: boolean;
}

const SAMPLE_CALL = `${FIXTURE}__echo '{"message":"hello"}'`;

/**
 * Serves a home with the example in it until a signal ends it: what `pnpm start` does.
 *
 * @returns the exit code
 * @throws GatewayError USER_INPUT when a gateway of this home is running, or the configuration is refused
 */
export async function runExample(flags: ExampleFlags, io: Io): Promise<number> {
  const stop = listenForStop(io);
  const paths = statePaths(io.env);
  const registry = openRegistry(io);
  // The progress is what is to be seen: of the log, only what is wrong.
  const base = { log: { level: "warn" } };
  const fixture = new ExampleFixture();
  let hosted: HostedGateway | undefined;
  try {
    const config = await loadConfig({
      file: paths.config,
      fileRequired: false,
      env: io.env,
      cwd: io.cwd,
      flags: {},
      base,
    });
    const logger = createLogger({ level: config.log.level, write: io.err, pretty: io.terminal.err });
    const before = await registry.all();
    const options = {
      ...{ version: programVersion(), config, paths, system: io.system, logger, write: io.out },
      sources: () => [sourceOf(io, paths, logger, flags.empty ? before.filter(isExample) : [])],
      prepare: async () => {
        if (!flags.empty) await prepare(registry, paths, fixture);
      },
    };
    const started = await startUnlessStopped((signal) => hostOnAnyPort({ ...options, signal }), stop, io.system.timers);
    if (typeof started === "number") return started;
    hosted = started;
    await showConnecting(io, hosted, stop.requested);
    for (const line of announcement(hosted.url, fixture.running ? SAMPLE_CALL : undefined)) io.out(line);
    await stop.requested;
    io.out("Stopping …");
    return 0;
  } finally {
    await hosted?.stop();
    await fixture.close();
    stop.dispose();
  }
}

async function prepare(registry: Registry, paths: StatePaths, fixture: ExampleFixture): Promise<void> {
  const state = { registryExists: await exists(paths.registry), entries: await registry.all() };
  const url = needsFixture(state) ? await fixture.start() : undefined;
  await prepareExample(registry, state, url, examplePlaces(paths.folder));
}

function sourceOf(io: Io, paths: StatePaths, logger: Logger, omitted: readonly ServerInfo[]): ConnectorSource {
  const source = registrySource({ path: paths.registry, logger, timers: io.system.timers });
  const names = new Set(omitted.map(({ name }) => name));
  return filteredSource(source, (specs) => specs.filter(({ key }) => !names.has(key)));
}

async function showConnecting(io: Io, { gateway }: HostedGateway, stopped: Promise<unknown>): Promise<void> {
  if (gateway.status().connectors.length === 0) return;
  io.out("Connecting to the servers:");
  const hide = showProgress(gateway, io.system.monotonic, io.out);
  await Promise.race([untilSettled(gateway, io.system.timers), stopped]);
  hide();
}

/** The fixture server inside this process: started once, whatever is tried how often. */
class ExampleFixture {
  #server: Promise<FixtureHttp> | undefined;

  get running(): boolean {
    return this.#server !== undefined;
  }

  async start(): Promise<string> {
    this.#server ??= startFixtureHttp();
    const { url } = await this.#server;
    return url;
  }

  async close(): Promise<void> {
    await (await this.#server)?.close();
  }
}
