import { fixedRandom, RecordingLogger, type ManualTime } from "@cortex-os/mcp-core/testing";
import { onTestFinished } from "vitest";
import { MODERN_CALLER, specFor, toolCall } from "../../http/__tests__/open-link.js";
import { RecordingSink } from "../../http/__tests__/recording-sink.js";
import { json, modern, result, upstream, type ScriptedUpstream } from "../../http/__tests__/scripted-upstream.js";
import { RemoteProxy } from "../remote-proxy.js";
import type { RemoteProxyOptions } from "../remote-proxy-options.js";

/** Answers every call. */
export const echo = modern((seen, res) =>
  json(res, 200, result(seen, { resultType: "complete", content: [], isError: false })),
);

/** A proxy that is disposed of after the test, and what it tells. */
export function proxyTo(url: string, options: Partial<RemoteProxyOptions> & { time?: ManualTime } = {}) {
  const logger = new RecordingLogger();
  const availability: [boolean, string?][] = [];
  const changes = { count: 0 };
  const { time, ...rest } = options;
  const ports = time === undefined ? {} : { clock: time, monotonic: time, timers: time };
  const proxy = new RemoteProxy({
    spec: specFor(url),
    logger,
    random: fixedRandom(0.5),
    onAvailability: (up, reason) => {
      availability.push(reason === undefined ? [up] : [up, reason]);
    },
    onListChanged: () => {
      changes.count += 1;
    },
    ...ports,
    ...rest,
  });
  onTestFinished(() => proxy.dispose());
  return { proxy, logger, availability, changes };
}

/** The answer to one call. */
export async function called(proxy: RemoteProxy, caller = MODERN_CALLER): Promise<RecordingSink> {
  const sink = new RecordingSink();
  proxy.send(toolCall(caller), sink);
  return await sink.done;
}

/** A server that is not there yet. */
export async function stopped(script: ScriptedUpstream["script"]): Promise<ScriptedUpstream> {
  const server = await upstream(script);
  await server.stop();
  return server;
}
