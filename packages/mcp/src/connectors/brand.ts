/** Stands in the `brand` field of log lines whose logger is the caller's own (R5, R16): the gateway's adds it by itself. */
export const BRAND = "brAInwav";
