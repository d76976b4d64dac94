/** Where a `Connector` is in its life. */
export type ConnectorState =
  | { readonly kind: "disabled" }
  | { readonly kind: "connecting" }
  | { readonly kind: "up" }
  | {
      readonly kind: "down";
      /** For anybody. */
      readonly reason: string;
      /** For operators only. */
      readonly detail?: string;
    };

/** Why it is down, with what only operators may see. */
export function wholeReason({ reason, detail }: { readonly reason: string; readonly detail?: string }): string {
  return detail === undefined ? reason : `${reason}; ${detail}`;
}
