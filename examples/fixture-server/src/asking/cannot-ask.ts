import { CODE, RpcFailure } from "../rpc-failure.js";

/** Nobody can be asked, in the legacy era: a tool says so in its result, as something a model can read. */
export class CannotAsk extends RpcFailure {
  constructor(why: string) {
    super(CODE.invalidRequest, `The client is not asked: ${why}`);
  }
}
