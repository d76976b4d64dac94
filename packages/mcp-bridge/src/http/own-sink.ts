import { GatewayError } from "@cortex-os/mcp-core";
import type { JsonObject } from "@cortex-os/mcp-core/wire";
import type { AnswerSink } from "../runtime/exchange.js";
import { quoteUpstream } from "../upstream-text.js";
import { protocolFailure } from "./failures.js";

/** The sink of a request of the gateway's own: nobody but the promise listens. */
export function ownSink(
  key: string,
  method: string,
  resolve: (result: JsonObject) => void,
  reject: (error: GatewayError) => void,
): AnswerSink {
  return {
    start: () => {},
    write: () => true,
    end: () => {},
    notify: () => {},
    ask: () => undefined,
    respond(response) {
      if ("result" in response) {
        resolve(response.result);
        return;
      }
      const { code, message } = response.error;
      const text = `answered ${method} with error ${code} ${quoteUpstream(message)}`;
      reject(
        new GatewayError("UPSTREAM_PROTOCOL", protocolFailure(key, text).message, { data: { upstreamCode: code } }),
      );
    },
    fail: reject,
    abort: reject,
  };
}
