import { readEvents } from "./event-stream.js";
import { messagesOf } from "./message.js";
import type { OpenWire } from "./wire.js";

/** HTTP with SSE, the transport of 2024-11-05: one stream for all that comes, and an address that it tells for all that goes. */
export function overSse(url: string): OpenWire {
  return async (onMessage) => {
    const ending = new AbortController();
    const response = await fetch(new URL("/sse", url), {
      headers: { accept: "text/event-stream" },
      signal: ending.signal,
    });
    const { body, status } = response;
    if (status !== 200 || body === null) throw new Error(`no stream: ${status}`);
    let told = (_address: string): void => {};
    const address = new Promise<string>((resolve) => {
      told = resolve;
    });
    const ended = readEvents(body, ({ event, data }) => {
      if (event === "endpoint") told(data);
      else for (const message of messagesOf(data)) onMessage(message);
    }).catch(() => {
      // Closed by us.
    });
    const messages = new URL(await address, url);
    return {
      cancelsByMessage: true,
      send: async (sent) => {
        const headers = { "content-type": "application/json" };
        const posted = await fetch(messages, { method: "POST", headers, body: JSON.stringify(sent) });
        await posted.body?.cancel();
        // The answer comes on the stream, where there are no statuses.
        return undefined;
      },
      listen: async () => {},
      close: async () => {
        ending.abort();
        await ended;
      },
    };
  };
}
