/** Who is calling, after authentication. */
export interface Principal {
  /** Stable and unique within this deployment; never a token. */
  readonly id: string;
}

/** Everybody, as long as the gateway does not authenticate its clients. */
export const ANONYMOUS: Principal = { id: "anonymous" };
