import { fixedRandom, ManualTime, RecordingLogger } from "@cortex-os/mcp-core/testing";
import { specOf } from "../../__tests__/support/specs.js";
import { TestUpstream } from "../../__tests__/support/test-upstreams.js";
import { Connector } from "../connector.js";

/** A started connector over an upstream in the hands of the test, in the test's own time. */
export function setUp(
  options: { disabled?: boolean; random?: number; onChange?: (connector: Connector) => void } = {},
) {
  const time = new ManualTime();
  const logger = new RecordingLogger();
  const made: TestUpstream[] = [];
  const changes: string[] = [];
  const syncs: { seconds: number; ok: boolean }[] = [];
  const failures: unknown[] = [];
  const connector = new Connector(specOf("k", { disabled: options.disabled ?? false }), {
    createUpstream: (spec, events) => {
      const upstream = new TestUpstream(spec, events);
      made.push(upstream);
      return upstream;
    },
    clock: time,
    monotonic: time,
    timers: time,
    random: fixedRandom(options.random ?? 0.5),
    logger,
    onChange: (changed) => {
      changes.push(changed.key);
      options.onChange?.(changed);
    },
    onSync: (_connector, seconds, ok) => syncs.push({ seconds, ok }),
    onConnectFailed: (_connector, error) => failures.push(error),
  });
  connector.start();
  const upstream = (): TestUpstream => {
    const [only] = made;
    if (only === undefined) throw new Error("no upstream was made");
    return only;
  };
  return { time, logger, made, changes, syncs, failures, connector, upstream };
}

/** The names of the tools it has. */
export const toolsOf = (connector: Connector): unknown => connector.part?.lists.tools?.entries.map(({ name }) => name);
