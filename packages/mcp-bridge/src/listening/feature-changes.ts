import {
  isJsonObject,
  LIST_CHANGES,
  SERVER_FEATURES,
  type JsonObject,
  type JsonValue,
  type ServerFeature,
} from "@cortex-os/mcp-core/wire";

/** The features that an upstream with these capabilities has. */
export function declaredFeatures(capabilities: JsonObject): readonly ServerFeature[] {
  return SERVER_FEATURES.filter((feature) => capabilities[feature] !== undefined);
}

/** The features of whose lists it claims to tell changes. */
export function claimedFeatures(capabilities: JsonObject): readonly ServerFeature[] {
  return SERVER_FEATURES.filter((feature) => {
    const capability = capabilities[feature];
    return isJsonObject(capability) && capability["listChanged"] === true;
  });
}

/** Whether a change of any list it has would be heard of, when those of some features would. An upstream that declares nothing may have lists all the same. */
export function hearsAll(capabilities: JsonObject, hears: (feature: ServerFeature) => boolean): boolean {
  const declared = declaredFeatures(capabilities);
  return declared.length > 0 && declared.every(hears);
}

/** The filter of a subscription (2026-07-28, Subscriptions): nothing is asked for that the upstream does not claim. */
export function listenFilter(features: readonly ServerFeature[], uris: readonly string[]): JsonObject {
  const lists = features.map((feature) => [LIST_CHANGES[feature].filter, true] as const);
  return { ...Object.fromEntries(lists), ...(uris.length === 0 ? {} : { resourceSubscriptions: uris }) };
}

/** What an upstream will tell. */
export interface Granted {
  readonly features: readonly ServerFeature[];
  readonly uris: readonly string[];
}

/** What the params of an acknowledgement grant: a server may grant less than was asked for. */
export function grantedBy(params: JsonObject | undefined): Granted {
  const notifications = params?.["notifications"];
  const granted = isJsonObject(notifications) ? notifications : {};
  const uris = granted["resourceSubscriptions"];
  return {
    features: SERVER_FEATURES.filter((feature) => granted[LIST_CHANGES[feature].filter] === true),
    uris: isList(uris) ? uris.filter((uri) => typeof uri === "string") : [],
  };
}

/** `Array.isArray` makes its elements `any`. */
const isList = (value: JsonValue | undefined): value is readonly JsonValue[] => Array.isArray(value);
