import type { FailureCode } from "./views.js";

/** The gateway, or the upstream behind it, refused what a command asked, or could not be asked. */
export class CallError extends Error {
  readonly code: FailureCode;

  constructor(code: FailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CallError";
    this.code = code;
  }
}

/** The gateway runs, and did not answer in time: it may be suspended, or stuck. */
export class SilentGatewayError extends CallError {
  constructor(message: string) {
    super("NOT_READY", message);
    this.name = "SilentGatewayError";
  }
}
