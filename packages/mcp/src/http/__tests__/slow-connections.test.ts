import { describe, expect, onTestFinished, test } from "vitest";
import { failOnLeaks, startServed } from "../../__tests__/support/gateway.js";
import { RawConnection, send } from "../../__tests__/support/http.js";

failOnLeaks();

describe("slow connections (reliability.md, threat 25)", () => {
  test("of 100 whose headers trickle all are closed, and a good request is served meanwhile", async () => {
    const { port } = await startServed([], {}, { limits: { headersMs: 1_000, requestMs: 2_000 } });
    const slow = await Promise.all(Array.from({ length: 100 }, async () => RawConnection.open(port)));
    for (const connection of slow) connection.write("POST /mcp HTTP/1.1\r\nhost: localhost\r\n");
    let trickled = 0;
    const trickle = setInterval(() => {
      trickled += 1;
      for (const connection of slow) if (!connection.isClosed) connection.write(`x-${trickled}: y\r\n`);
    }, 100);
    onTestFinished(() => {
      clearInterval(trickle);
    });
    expect((await send({ port, path: "/livez" })).status).toBe(200);
    const answers = await Promise.all(slow.map(async (connection) => connection.untilClosed()));
    expect(trickled).toBeGreaterThan(0);
    expect(answers.filter((answer) => answer !== "" && !answer.startsWith("HTTP/1.1 408 "))).toEqual([]);
  });

  test("one whose body trickles is closed too", async () => {
    const { port } = await startServed([], {}, { limits: { headersMs: 500, requestMs: 1_000 } });
    const connection = await RawConnection.open(port);
    connection.write(
      "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{",
    );
    const trickle = setInterval(() => {
      if (!connection.isClosed) connection.write(" ");
    }, 100);
    onTestFinished(() => {
      clearInterval(trickle);
    });
    await connection.untilClosed();
  });

  test("more connections than allowed are not accepted", async () => {
    const { port } = await startServed([], {}, { limits: { connections: 2 } });
    const [first, second] = [await RawConnection.open(port), await RawConnection.open(port)];
    for (const connection of [first, second]) {
      connection.write("GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n");
      await connection.until(/alive/);
    }
    const third = await RawConnection.open(port);
    expect(await third.untilClosed()).toBe("");
    for (const connection of [first, second]) connection.close();
  });
});
