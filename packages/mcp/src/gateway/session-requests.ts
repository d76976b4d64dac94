import { GatewayError } from "@cortex-os/mcp-core";
import { isLogLevel, LOG_LEVELS, type JsonObject } from "@cortex-os/mcp-core/wire";
import { unknownMethod } from "./call-target.js";
import type { ClientSession } from "./client-session.js";
import type { LogInterest } from "./log-interest.js";
import type { ResourceWatches } from "./resource-watches.js";
import type { SelfDescription } from "./self-description.js";

/** What {@link SessionRequests} work through. */
export interface SessionRequestsDeps {
  readonly watches: Pick<ResourceWatches, "watch">;
  readonly logInterest: Pick<LogInterest, "set">;
}

/** Most resources that one session listens to. */
const MAX_WATCHES = 1_000;

/** What a legacy client asks for its session and not for one call: the gateway keeps it, because no single upstream could. */
export class SessionRequests {
  readonly #deps: SessionRequestsDeps;

  constructor(deps: SessionRequestsDeps) {
    this.#deps = deps;
  }

  /**
   * `logging/setLevel` (2025-11-25, Logging).
   * @throws GatewayError INVALID_PARAMS for a level that is none, METHOD_UNKNOWN when the session's scope has no log messages
   */
  setLevel(session: ClientSession, params: JsonObject | undefined): void {
    const level = params?.["level"];
    if (!isLogLevel(level))
      throw new GatewayError("INVALID_PARAMS", `params.level must be one of ${LOG_LEVELS.join(", ")}`);
    if (!descriptionOf(session).logs) throw unknownMethod("logging/setLevel").error;
    session.setLogLevel(level);
    this.#deps.logInterest.set(session.id, level, session.scope.connector);
  }

  /**
   * `resources/subscribe` (2025-11-25, Resources); once more for the same resource changes nothing.
   * @throws GatewayError INVALID_PARAMS, METHOD_UNKNOWN when the session's scope has no subscriptions, LIMITED beyond 1,000 resources, or what {@link ResourceWatches.watch} throws
   */
  async subscribe(session: ClientSession, params: JsonObject | undefined): Promise<void> {
    const uri = uriOf(params);
    if (!descriptionOf(session).subscribes) throw unknownMethod("resources/subscribe").error;
    if (session.watches.has(uri)) return;
    if (session.watches.size >= MAX_WATCHES)
      throw new GatewayError("LIMITED", `A session may subscribe to ${MAX_WATCHES} resources; unsubscribe from some`);
    // Before the upstream agreed it counts already, so that one asked for twice is watched once.
    let end = (): void => {};
    let wanted = true;
    const endWatch = (): void => {
      wanted = false;
      end();
    };
    session.watches.set(uri, endWatch);
    try {
      end = await this.#deps.watches.watch(
        session.scope,
        uri,
        (updated) => {
          session.resourceUpdated(updated);
        },
        session.id,
      );
    } catch (error) {
      // It may have been given up and asked for anew meanwhile.
      if (session.watches.get(uri) === endWatch) session.watches.delete(uri);
      throw error;
    }
    if (!wanted) end();
  }

  /**
   * `resources/unsubscribe`; of a resource that was not subscribed to it changes nothing.
   * @throws GatewayError INVALID_PARAMS
   */
  unsubscribe(session: ClientSession, params: JsonObject | undefined): void {
    const uri = uriOf(params);
    session.watches.get(uri)?.();
    session.watches.delete(uri);
  }
}

/** @throws GatewayError when it is not known what the session's scope is */
function descriptionOf({ scope }: ClientSession): SelfDescription {
  const description = scope.describe();
  if (GatewayError.is(description)) throw description;
  return description;
}

function uriOf(params: JsonObject | undefined): string {
  const uri = params?.["uri"];
  if (typeof uri === "string") return uri;
  throw new GatewayError("INVALID_PARAMS", "params.uri must be the URI of a resource");
}
