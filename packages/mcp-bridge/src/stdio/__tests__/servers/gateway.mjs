// A process that holds stdio links, to be killed: argv is a JSON array of {command, args, env}, one link each. Prints "ready" when all are open.
import {
  DEFAULT_TIMEOUTS,
  systemClock,
  systemMonotonic,
  systemRandom,
  systemTimers,
  silentLogger,
} from "@cortex-os/mcp-core";
import { StdioLink } from "../../../../dist/stdio/stdio-link.js";

const links = JSON.parse(process.argv[2]).map((transport, index) => {
  const spec = {
    ...{ key: `demo${index}`, source: "registry", disabled: false, isolation: "shared", timeouts: DEFAULT_TIMEOUTS },
    transport: { kind: "stdio", ...transport },
  };
  const events = { onListChanged: () => {}, onLost: (error) => console.log(error.message) };
  const ports = {
    clock: systemClock,
    monotonic: systemMonotonic,
    timers: systemTimers,
    random: systemRandom,
    logger: silentLogger,
  };
  return new StdioLink({ spec, events, ...ports });
});
await Promise.all(links.map((link) => link.open(new AbortController().signal)));
console.log("ready");
