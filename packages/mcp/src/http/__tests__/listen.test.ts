import { createServer } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { listen, probePort } from "../listen.js";

test("a port is probed without being kept: it can be had afterwards, and what has it is told of", async () => {
  const server = createServer();
  onTestFinished(() => void server.close());
  await listen(server, { host: "127.0.0.1", port: 0 });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await expect(probePort("127.0.0.1", port)).rejects.toMatchObject({
    code: "USER_INPUT",
    message: expect.stringContaining(`Cannot listen on 127.0.0.1:${port}: it is taken`),
  });
  await new Promise((resolve) => server.close(resolve));
  await probePort("127.0.0.1", port);
  await probePort("127.0.0.1", port);
});
