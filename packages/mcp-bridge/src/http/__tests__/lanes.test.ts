import { once } from "node:events";
import { createServer } from "node:http";
import { Pool, type Dispatcher } from "undici";
import { describe, expect, test } from "vitest";
import { Lanes, type Lane } from "../lanes.js";

/** How a GET over a dispatcher ends: its status, or the error's code. */
async function ends(dispatcher: Dispatcher | undefined, origin: string): Promise<number | string> {
  if (dispatcher === undefined) return "there is no lane";
  return new Promise((resolve) => {
    dispatcher.dispatch(
      { origin, path: "/", method: "GET" },
      {
        onRequestStart: () => {},
        onResponseStart: (_controller, status) => resolve(status),
        onResponseData: () => {},
        onResponseEnd: () => {},
        onResponseError: (_controller, error) => resolve("code" in error ? String(error.code) : error.message),
      },
    );
  });
}

/** A server that answers 204. */
async function withServer(work: (origin: string) => Promise<void>): Promise<void> {
  const server = createServer((_request, response) => void response.writeHead(204).end()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  try {
    await work(`http://127.0.0.1:${port}`);
  } finally {
    server.close().closeAllConnections();
    await once(server, "close");
  }
}

describe("the lanes to one upstream", () => {
  test("are made when they are taken, each once: an upstream that nobody calls holds no pool for calls", async () => {
    await withServer(async (origin) => {
      const made: Lane[] = [];
      const lanes = new Lanes((lane) => {
        made.push(lane);
        return new Pool(origin);
      }, true);
      expect(made).toEqual([]);
      expect(await ends(lanes.of("control"), origin)).toBe(204);
      expect(await ends(lanes.of("control"), origin)).toBe(204);
      expect(made).toEqual(["control"]);
      expect(lanes.of("calls")).not.toBe(lanes.of("control"));
      await lanes.destroy();
      await lanes.destroy();
    });
  });

  test("that cannot be made yet are made when they are taken again", async () => {
    await withServer(async (origin) => {
      let canMake = false;
      const lanes = new Lanes(() => (canMake ? new Pool(origin) : undefined), true);
      expect(lanes.of("calls")).toBeUndefined();
      canMake = true;
      expect(await ends(lanes.of("calls"), origin)).toBe(204);
      await lanes.destroy();
    });
  });

  test("of an upstream that is gone fail whatever is sent, a lane that was never taken as well, and leave no socket open", async () => {
    await withServer(async (origin) => {
      const lanes = new Lanes(() => new Pool(origin), true);
      await lanes.destroy();
      expect(await ends(lanes.of("calls"), origin)).toBe("UND_ERR_DESTROYED");
    });
  });

  test("that are somebody else's are left open", async () => {
    await withServer(async (origin) => {
      const pool = new Pool(origin);
      const lanes = new Lanes(() => pool, false);
      expect(await ends(lanes.of("calls"), origin)).toBe(204);
      await lanes.destroy();
      expect(await ends(lanes.of("streams"), origin)).toBe(204);
      await pool.close();
    });
  });
});
