import type { ConnectorTimeouts } from "@cortex-os/mcp-core";
import { paramsForUpstream, progressTokenOf, withMeta } from "@cortex-os/mcp-core/wire";
import type { UpstreamFacts } from "../link.js";
import { askedLevel, ownLogLevel } from "../log-levels.js";
import type { AnswerSink, UpstreamCall } from "../runtime/exchange.js";
import { ByteExchange } from "./byte-exchange.js";
import type { HttpUpstream } from "./http-upstream.js";
import type { LegacySession } from "./legacy-session.js";
import type { LinkExchanges } from "./link-exchanges.js";
import { MessageExchange } from "./message-exchange.js";
import { prepareRequest } from "./request-preparation.js";
import type { SessionBook } from "./session-book.js";
import type { UpstreamExchange } from "./upstream-exchange.js";

/** What {@link clientExchange} needs of a link. */
export interface ClientExchangeDeps {
  readonly upstream: HttpUpstream;
  readonly exchanges: LinkExchanges;
  readonly sessions: SessionBook;
  readonly timeouts: ConnectorTimeouts;
}

/**
 * A client's request on its way to the upstream, not sent yet: as bytes where nothing has to be put back, otherwise as messages.
 *
 * @param control the gateway's own session with a legacy upstream
 */
export function clientExchange(
  deps: ClientExchangeDeps,
  facts: UpstreamFacts,
  control: LegacySession | undefined,
  call: UpstreamCall,
  sink: AnswerSink,
): UpstreamExchange {
  return facts.era === "modern" ? toModern(deps, facts, call, sink) : toLegacy(deps, facts, control, call, sink);
}

function toModern(
  deps: ClientExchangeDeps,
  facts: UpstreamFacts,
  call: UpstreamCall,
  sink: AnswerSink,
): UpstreamExchange {
  const { caller, id, method, params, paramHeaders } = call;
  if (caller.era === "legacy") return asMessages(deps, facts, call, sink, undefined);
  const draft = { id, method, params, session: undefined, caller, revision: caller.revision, paramHeaders };
  return new ByteExchange(deps.exchanges, prepareRequest(draft, deps.timeouts), sink);
}

function toLegacy(
  deps: ClientExchangeDeps,
  facts: UpstreamFacts,
  control: LegacySession | undefined,
  call: UpstreamCall,
  sink: AnswerSink,
): UpstreamExchange {
  const { caller, id, method, params } = call;
  const own = control?.facts;
  const keepsNone = own !== undefined && own.id === undefined;
  const session = keepsNone ? control : deps.sessions.of(caller);
  // Callers that share a session, or an upstream that has none and may keep one table for everybody, get ids of the link's own:
  // two clients both begin to count at 0 (CVE-2026-25536).
  if (caller.era === "modern" || keepsNone || caller.sessionKey === undefined)
    return asMessages(deps, facts, call, sink, session);
  const { logLevel: level, sessionKey } = caller;
  const logs = level === undefined ? undefined : { level, isShared: false, sessionKey };
  const draft = { id, method, params, session, caller, revision: facts.revision, logs };
  return new ByteExchange(deps.exchanges, prepareRequest(draft, deps.timeouts), sink);
}

function asMessages(
  { exchanges, timeouts, upstream }: ClientExchangeDeps,
  facts: UpstreamFacts,
  call: UpstreamCall,
  sink: AnswerSink,
  session: LegacySession | undefined,
): UpstreamExchange {
  const { caller, method, params, paramHeaders } = call;
  const id = upstream.nextId();
  const converted = paramsForUpstream(params, caller, facts);
  const asked = progressTokenOf(params) === undefined ? converted : withMeta(converted, { progressToken: id });
  const level = askedLevel(call);
  const logs = level === undefined || session === undefined ? undefined : { level, isShared: true };
  const draft = { id, method, params: asked, session, caller, revision: facts.revision, paramHeaders, logs };
  const eras = { callerEra: caller.era, upstreamEra: facts.era };
  const shape = { id: call.id, params, ...eras, logLevel: ownLogLevel(call) };
  return new MessageExchange(exchanges, prepareRequest(draft, timeouts), sink, shape);
}
