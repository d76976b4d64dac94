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
