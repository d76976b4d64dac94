import { isJsonObject, META, type JsonObject } from "@cortex-os/mcp-core/wire";
import { changeNotification, type Change, type Changes } from "../changes.js";
import { notification } from "../notification.js";
import { CODE, RpcFailure } from "../rpc-failure.js";
import type { Call } from "./feature.js";

/** Which changes there can be on a server, for a subscription to ask for. */
export interface Subscribable {
  readonly prompts: boolean;
  readonly resources: boolean;
  /** Whether there is something to read at `uri`. */
  readonly hasResource: (uri: string) => boolean;
}

/** The part of a filter that is honoured: members that are not are missing (subscriptions, Acknowledgment). */
interface Grant {
  readonly toolsListChanged?: true;
  readonly promptsListChanged?: true;
  readonly resourcesListChanged?: true;
  readonly resourceSubscriptions?: readonly string[];
}

/**
 * Serves `subscriptions/listen` until the client gives it up or the server stops (2026-07-28, subscriptions).
 * @throws RpcFailure −32602 when there is no filter, or one that cannot be meant
 */
export async function listen(
  { request, params, exchange }: Call,
  changes: Changes,
  there: Subscribable,
): Promise<void> {
  const filter = params["notifications"];
  if (!isJsonObject(filter)) throw new RpcFailure(CODE.invalidParams, "notifications must be an object");
  const grant = grantOf(filter, there);
  const meta = { [META.subscriptionId]: request.id };
  exchange.notify(
    notification("notifications/subscriptions/acknowledged", { _meta: meta, notifications: { ...grant } }),
  );
  const stop = changes.on((change) => {
    if (covers(grant, change)) exchange.notify(changeNotification(change, meta));
  });
  await new Promise<void>((resolve) => {
    exchange.scope.onShutDown(resolve);
    exchange.scope.signal.addEventListener("abort", () => {
      resolve();
    });
  });
  stop();
}

function grantOf(filter: JsonObject, { prompts, resources, hasResource }: Subscribable): Grant {
  const asked = filter["resourceSubscriptions"] ?? [];
  if (!isStrings(asked)) throw new RpcFailure(CODE.invalidParams, "resourceSubscriptions must be an array of strings");
  const watched = resources ? asked.filter(hasResource) : [];
  return {
    ...(filter["toolsListChanged"] === true ? { toolsListChanged: true } : {}),
    ...(prompts && filter["promptsListChanged"] === true ? { promptsListChanged: true } : {}),
    ...(resources && filter["resourcesListChanged"] === true ? { resourcesListChanged: true } : {}),
    ...(watched.length > 0 ? { resourceSubscriptions: watched } : {}),
  };
}

const isStrings = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === "string");

const covers = (grant: Grant, change: Change): boolean =>
  change.kind === "updated"
    ? grant.resourceSubscriptions?.includes(change.uri) === true
    : grant[`${change.kind}ListChanged`] === true;
