import { progressTokenOf, type JsonObject, type JsonRpcMessage, type JsonRpcResponse } from "@cortex-os/mcp-core/wire";
import { notification } from "../notification.js";
import { CODE } from "../rpc-failure.js";
import { METHOD_OF, type Question, type Reply } from "./question.js";

interface Open {
  readonly progress: JsonObject[] | undefined;
  readonly progressToken: string | number | undefined;
  readonly settle: (reply: Reply) => void;
}

/** The questions one legacy client was asked and has not answered. Their ids count from 1, as those of many clients do. */
export class Asked {
  readonly #open = new Map<string | number, Open>();
  #lastId = 0;

  /**
   * Sends one question and waits for what comes back; when `signal` aborts, takes it back.
   * @param send hands a message over to the client: `false` when there is no way
   * @returns `undefined` when it could not be sent
   */
  async ask(
    { kind, params }: Question,
    send: (message: JsonRpcMessage) => boolean,
    signal: AbortSignal,
  ): Promise<Reply | undefined> {
    this.#lastId += 1;
    const id = this.#lastId;
    const progressToken = progressTokenOf(params);
    const progress = progressToken === undefined ? undefined : [];
    return await new Promise((resolve) => {
      const settle = (reply: Reply | undefined): void => {
        this.#open.delete(id);
        signal.removeEventListener("abort", withdraw);
        resolve(reply);
      };
      const withdraw = (): void => {
        send(notification("notifications/cancelled", { requestId: id, reason: "the call was cancelled" }));
        settle({ error: { code: CODE.internalError, message: "The call was cancelled" } });
      };
      this.#open.set(id, { progress, progressToken, settle });
      signal.addEventListener("abort", withdraw);
      if (!send({ jsonrpc: "2.0", id, method: METHOD_OF[kind], params })) settle(undefined);
    });
  }

  /** Takes in an answer; one to a question that is not open any more, or never was, is ignored. */
  answered(response: JsonRpcResponse): void {
    const open = response.id === undefined ? undefined : this.#open.get(response.id);
    if (open === undefined) return;
    const told = open.progress === undefined ? {} : { progress: open.progress };
    open.settle("result" in response ? { answer: response.result, ...told } : { error: response.error, ...told });
  }

  /** Takes in how far the answer is. */
  progressed(params: JsonObject = {}): void {
    const { progressToken, ...progress } = params;
    for (const open of this.#open.values()) {
      if (open.progressToken !== undefined && open.progressToken === progressToken) open.progress?.push(progress);
    }
  }
}
