/** What a server can offer in lists (2026-07-28, Server Features), by the name of its capability. */
export const SERVER_FEATURES = ["tools", "resources", "prompts"] as const;

/** One of {@link SERVER_FEATURES}. */
export type ServerFeature = (typeof SERVER_FEATURES)[number];

/** The lists a server can be asked for, by the member of the result that holds the entries. */
export const LIST_KINDS = ["tools", "resources", "resourceTemplates", "prompts"] as const;

/** One of {@link LIST_KINDS}. */
export type ListKind = (typeof LIST_KINDS)[number];

/** What belongs to each {@link ListKind}. */
export const LISTS = {
  tools: { method: "tools/list", feature: "tools" },
  resources: { method: "resources/list", feature: "resources" },
  resourceTemplates: { method: "resources/templates/list", feature: "resources" },
  prompts: { method: "prompts/list", feature: "prompts" },
} as const satisfies Record<ListKind, { readonly method: string; readonly feature: ServerFeature }>;

/** How a change of each feature's lists is told, and which member of a subscription's filter asks for it (2026-07-28, Subscriptions). */
export const LIST_CHANGES = {
  tools: { notification: "notifications/tools/list_changed", filter: "toolsListChanged" },
  resources: { notification: "notifications/resources/list_changed", filter: "resourcesListChanged" },
  prompts: { notification: "notifications/prompts/list_changed", filter: "promptsListChanged" },
} as const satisfies Record<ServerFeature, { readonly notification: string; readonly filter: string }>;

/** The feature whose lists a notification says have changed; `undefined` for every other notification. */
export function changedFeature(method: string): ServerFeature | undefined {
  return SERVER_FEATURES.find((feature) => LIST_CHANGES[feature].notification === method);
}
