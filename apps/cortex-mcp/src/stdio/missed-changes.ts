import {
  isJsonObject,
  META,
  type JsonObject,
  type JsonRpcNotification,
  type RequestId,
} from "@cortex-os/mcp-core/wire";

const LISTS = ["tools", "resources", "prompts"] as const;

/** What a legacy session shows of itself. */
export interface ShownSession {
  readonly isInitialized: boolean;
  readonly capabilities: JsonObject;
  readonly subscribed: readonly string[];
}

/** What a legacy client may have missed while it had no gateway: any change of a list, or of a resource, that it would have been told. */
export function staleLists({ isInitialized, capabilities, subscribed }: ShownSession): readonly JsonRpcNotification[] {
  if (!isInitialized) return [];
  const told = LISTS.filter((list) => {
    const capability = capabilities[list];
    return isJsonObject(capability) && capability["listChanged"] === true;
  });
  return [...told.map((list) => listChanged(list)), ...subscribed.map((uri) => resourceUpdated(uri))];
}

/** The same for a listener of the modern era, by what was agreed to tell it. */
export function changesFor(id: RequestId, agreed: JsonObject): readonly JsonRpcNotification[] {
  const _meta = { [META.subscriptionId]: id };
  const { resourceSubscriptions: uris } = agreed;
  const told = LISTS.filter((list) => agreed[`${list}ListChanged`] === true);
  const updated = Array.isArray(uris) ? uris.filter((uri) => typeof uri === "string") : [];
  return [
    ...told.map((list) => listChanged(list, { _meta })),
    ...updated.map((uri) => resourceUpdated(uri, { _meta })),
  ];
}

const listChanged = (list: (typeof LISTS)[number], params?: JsonObject): JsonRpcNotification => ({
  jsonrpc: "2.0",
  method: `notifications/${list}/list_changed`,
  ...(params === undefined ? {} : { params }),
});

const resourceUpdated = (uri: string, params: JsonObject = {}): JsonRpcNotification => ({
  jsonrpc: "2.0",
  method: "notifications/resources/updated",
  params: { ...params, uri },
});
