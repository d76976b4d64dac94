/** The methods of clients that have a series of their own; all others count as `other`, so that no client's word becomes a label (R15). */
export const MEASURED_METHODS = [
  "tools/list",
  "tools/call",
  "resources/list",
  "resources/templates/list",
  "resources/read",
  "resources/subscribe",
  "resources/unsubscribe",
  "prompts/list",
  "prompts/get",
  "completion/complete",
  "logging/setLevel",
  "server/discover",
  "subscriptions/listen",
  "ping",
  "other",
] as const;

/** One of {@link MEASURED_METHODS}. */
export type MeasuredMethod = (typeof MEASURED_METHODS)[number];

const BY_NAME: ReadonlyMap<string, MeasuredMethod> = new Map(MEASURED_METHODS.map((method) => [method, method]));

/** What a client's method counts as. */
export const measuredMethod = (method: string): MeasuredMethod => BY_NAME.get(method) ?? "other";
