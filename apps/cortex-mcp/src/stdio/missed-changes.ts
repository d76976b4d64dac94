import {
  isJsonObject,
  LIST_CHANGES,
  META,
  SERVER_FEATURES,
  type JsonObject,
  type JsonRpcNotification,
  type RequestId,
  type ServerFeature,
} from "@cortex-os/mcp-core/wire";

/** What a legacy session shows of itself. */
export interface ShownSession {
  readonly isInitialized: boolean;
  readonly capabilities: JsonObject;
  readonly subscribed: readonly string[];
}

/** What a legacy client may have missed while it had no gateway: any change of a list, or of a resource, that it would have been told. */
export function staleLists({ isInitialized, capabilities, subscribed }: ShownSession): readonly JsonRpcNotification[] {
  if (!isInitialized) return [];
  const told = SERVER_FEATURES.filter((feature) => {
    const capability = capabilities[feature];
    return isJsonObject(capability) && capability["listChanged"] === true;
  });
  return [...told.map((feature) => listChanged(feature)), ...subscribed.map((uri) => resourceUpdated(uri))];
}

/** The same for a listener of the modern era, by what was agreed to tell it. */
export function changesFor(id: RequestId, agreed: JsonObject): readonly JsonRpcNotification[] {
  const _meta = { [META.subscriptionId]: id };
  const { resourceSubscriptions: uris } = agreed;
  const told = SERVER_FEATURES.filter((feature) => agreed[LIST_CHANGES[feature].filter] === true);
  const updated = Array.isArray(uris) ? uris.filter((uri) => typeof uri === "string") : [];
  return [
    ...told.map((feature) => listChanged(feature, { _meta })),
    ...updated.map((uri) => resourceUpdated(uri, { _meta })),
  ];
}

const listChanged = (feature: ServerFeature, params?: JsonObject): JsonRpcNotification => ({
  jsonrpc: "2.0",
  method: LIST_CHANGES[feature].notification,
  ...(params === undefined ? {} : { params }),
});

const resourceUpdated = (uri: string, params: JsonObject = {}): JsonRpcNotification => ({
  jsonrpc: "2.0",
  method: "notifications/resources/updated",
  params: { ...params, uri },
});
