import type { ConnectorOrigin, ConnectorSpec } from "@cortex-os/mcp-core";
import { fixedRandom, ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { settle, TestUpstreams } from "../../__tests__/support/test-upstreams.js";
import { DEFAULT_CATALOG_POLICY } from "../../catalog/catalog.js";
import { ConnectorDirectory, type ConnectorDirectoryDeps } from "../connector-directory.js";
import type { ConnectorSource, SourceState, SpecsListener } from "../connector-source.js";
import { DEFAULT_STARTUP } from "../start-gate.js";

/** A source in the hands of a test. */
export class TestSource implements ConnectorSource {
  readonly origin: ConnectorOrigin;
  reloads = 0;
  closes = 0;
  closeFailure: Error | undefined;
  /** What it is asked to be fresh for; `undefined`: it always is. */
  freshening: Promise<void> | undefined;
  /** Ends the start of one that takes for ever. */
  release: () => void = () => {};
  #tell: SpecsListener = () => {};
  readonly #first: readonly ConnectorSpec[] | undefined;

  /** @param first what it tells when it is started; `undefined`: it takes for ever */
  constructor(origin: ConnectorOrigin, first: readonly ConnectorSpec[] | undefined) {
    this.origin = origin;
    this.#first = first;
  }

  async start(listener: SpecsListener): Promise<void> {
    this.#tell = listener;
    if (this.#first === undefined) {
      await new Promise<void>((resolve) => {
        this.release = resolve;
      });
    } else listener(this.#first);
  }

  tell(...specs: ConnectorSpec[]): void {
    this.#tell(specs);
  }

  /** Cannot be read at present; these are what it named last. */
  fail(problem: string, ...specs: ConnectorSpec[]): void {
    this.#tell(specs, { problem });
  }

  /** Tells all there is to tell. */
  say(specs: readonly ConnectorSpec[], state: SourceState): void {
    this.#tell(specs, state);
  }

  freshen(): Promise<void> | undefined {
    return this.freshening;
  }

  async reload(): Promise<void> {
    this.reloads += 1;
    await Promise.resolve();
  }

  async close(): Promise<void> {
    this.closes += 1;
    if (this.closeFailure !== undefined) throw this.closeFailure;
    await Promise.resolve();
  }
}

/** A directory over these sources, in a test's own time. */
export function setUp(...sources: TestSource[]) {
  return setUpWith({}, ...sources);
}

/** {@link setUp} with some things different. */
export function setUpWith(deps: Partial<ConnectorDirectoryDeps>, ...sources: TestSource[]) {
  const time = new ManualTime();
  const logger = new RecordingLogger();
  const upstreams = new TestUpstreams();
  const seen = { changes: 0 };
  const directory = new ConnectorDirectory({
    createUpstream: upstreams.create,
    clock: time,
    monotonic: time,
    timers: time,
    random: fixedRandom(0.5),
    logger,
    sources,
    catalogPolicy: DEFAULT_CATALOG_POLICY,
    startup: DEFAULT_STARTUP,
    onChange: () => {
      seen.changes += 1;
    },
    onSync: () => {},
    ...deps,
  });
  const names = (): string[] => directory.catalog.current.tools.map(({ name }) => name);
  return { time, logger, upstreams, seen, directory, names };
}

/** A started directory over one registry that names these connectors. */
export async function started(...specs: ConnectorSpec[]) {
  const source = new TestSource("registry", specs);
  const parts = setUp(source);
  await parts.directory.start();
  await settle();
  return { ...parts, source };
}
