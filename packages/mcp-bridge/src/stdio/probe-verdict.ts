import {
  isJsonObject,
  LEGACY_REVISIONS,
  MODERN_REVISIONS,
  type JsonObject,
  type JsonRpcResponse,
  type JsonValue,
} from "@cortex-os/mcp-core/wire";
import { describedBy } from "../described-by.js";
import type { UpstreamFacts } from "../link.js";

/** What an answer to `server/discover` says about the one who gave it. */
export type ProbeVerdict =
  /** It discovered itself, in a revision that we speak too. */
  | { readonly kind: "modern"; readonly facts: Omit<UpstreamFacts, "detectedAt"> }
  /** It is modern, but wants to be asked in this revision. */
  | { readonly kind: "ask-again"; readonly revision: string }
  /** It wants `initialize`, and this revision in it if it named any. */
  | { readonly kind: "legacy"; readonly revision?: string }
  /** It is modern, and there is no way to talk to it. */
  | { readonly kind: "refused"; readonly reason: string };

const UNSUPPORTED_VERSION = -32_022;
const MISSING_CAPABILITY = -32_021;

/**
 * The stdio rule of 2026-07-28 (stdio, Backward Compatibility) as a function: a `DiscoverResult` or a recognised modern error means
 * modern, anything else legacy, whatever its code.
 *
 * @param asked the revision that was asked in
 */
export function verdictOf(answer: JsonRpcResponse, asked: string): ProbeVerdict {
  if ("error" in answer) {
    const { code, data } = answer.error;
    const details = isJsonObject(data) ? data : {};
    if (code === UNSUPPORTED_VERSION && Array.isArray(details["supported"])) {
      return chosenFrom(details["supported"], (revision) =>
        revision === asked
          ? { kind: "refused", reason: `it refuses revision ${revision} although it lists it as supported` }
          : { kind: "ask-again", revision },
      );
    }
    if (code === MISSING_CAPABILITY && isJsonObject(details["requiredCapabilities"])) {
      const names = Object.keys(details["requiredCapabilities"]).join(", ");
      return { kind: "refused", reason: `it asks for client capabilities that the gateway does not offer: ${names}` };
    }
    return { kind: "legacy" };
  }
  const { result } = answer;
  const supported = result["supportedVersions"];
  if (!Array.isArray(supported)) return { kind: "legacy" };
  return chosenFrom(supported, (revision) => ({ kind: "modern", facts: discoveredFacts(result, revision) }));
}

function chosenFrom(supported: readonly JsonValue[], whenModern: (revision: string) => ProbeVerdict): ProbeVerdict {
  const modern = MODERN_REVISIONS.find((revision) => supported.includes(revision));
  if (modern !== undefined) return whenModern(modern);
  const legacy = LEGACY_REVISIONS.find((revision) => supported.includes(revision));
  if (legacy !== undefined) return { kind: "legacy", revision: legacy };
  const listed = supported.filter((revision) => typeof revision === "string").slice(0, 10);
  return { kind: "refused", reason: `it speaks none of our revisions, only ${JSON.stringify(listed)}` };
}

function discoveredFacts(result: JsonObject, revision: string): Omit<UpstreamFacts, "detectedAt"> {
  return { era: "modern", revision, ...describedBy(result) };
}
