import type { JsonObject } from "@cortex-os/mcp-core/wire";
import type { ServerResponse } from "node:http";
import { openStream, type Seen } from "./scripted-upstream.js";

/** The acknowledgement of a subscription that grants this much. */
export const acknowledged = (notifications: JsonObject): JsonObject => ({
  jsonrpc: "2.0",
  method: "notifications/subscriptions/acknowledged",
  params: { notifications },
});

/** Streams that a server holds open, newest last. */
export class Streams {
  readonly open: { send: ReturnType<typeof openStream>; res: ServerResponse }[] = [];
  readonly accept = (_: Seen, res: ServerResponse): void => {
    this.open.push({ send: openStream(res), res });
  };
  /** Grants what is asked for. */
  readonly grant = (seen: Seen, res: ServerResponse): void => {
    this.accept(seen, res);
    const { notifications } = seen.message["params"] as JsonObject;
    this.last?.send(acknowledged(notifications as JsonObject));
  };

  get last() {
    return this.open.at(-1);
  }
}
