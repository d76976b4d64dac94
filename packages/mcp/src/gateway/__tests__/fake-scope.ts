import { GatewayError } from "@cortex-os/mcp-core";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { CAPABILITIES } from "../capabilities.js";
import type { Scope } from "../scope.js";
import { SelfDescription } from "../self-description.js";

/** A scope that has these capabilities and nothing else. */
export function fakeScope(capabilities: JsonObject = CAPABILITIES): Scope {
  const nothing = new GatewayError("INVALID_PARAMS", "there is nothing here");
  const description = new SelfDescription({ serverInfo: { name: "fake" }, capabilities }, 0);
  return {
    untilDescribed: () => undefined,
    untilListed: () => undefined,
    describe: () => description,
    has: () => true,
    page: () => nothing,
    targetOf: () => ({ ok: false, error: nothing }),
    untilTargeted: () => undefined,
    explain: ({ error }) => error,
    resolve: () => nothing,
    addressOf: (_connector, uri) => uri,
  };
}
