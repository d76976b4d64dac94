import { isDeeperThan, isJsonObject, MAX_JSON_DEPTH, META, type JsonObject } from "@cortex-os/mcp-core/wire";
import type { UpstreamFacts } from "./link.js";

/** What an upstream says of itself, as far as it is remembered. */
export type Described = Pick<UpstreamFacts, "capabilities" | "serverInfo" | "instructions" | "others">;

/** Members of either result that are remembered by themselves, or are between the upstream and the gateway. */
const KNOWN: ReadonlySet<string> = new Set([
  ...["capabilities", "serverInfo", "instructions"],
  ...["protocolVersion", "supportedVersions", "resultType", "_meta"],
]);

/** The parts of a `DiscoverResult` or an `InitializeResult` that are remembered. What is nested so deep that it could not be passed on counts as not said. */
export function describedBy(result: JsonObject): Described {
  const { capabilities, instructions } = result;
  const { [META.serverInfo]: modernInfo, ...meta } = soundObject(result["_meta"]) ?? {};
  const serverInfo = soundObject(modernInfo ?? result["serverInfo"]);
  const unknown = Object.entries(result).filter(
    ([name, value]) => !KNOWN.has(name) && !isDeeperThan(value, MAX_JSON_DEPTH),
  );
  if (Object.keys(meta).length > 0) unknown.push(["_meta", meta]);
  return {
    capabilities: soundObject(capabilities) ?? {},
    ...(serverInfo === undefined ? {} : { serverInfo }),
    ...(typeof instructions === "string" ? { instructions } : {}),
    ...(unknown.length === 0 ? {} : { others: Object.fromEntries(unknown) }),
  };
}

const soundObject = (value: unknown): JsonObject | undefined =>
  isJsonObject(value) && !isDeeperThan(value, MAX_JSON_DEPTH) ? value : undefined;
