import { once } from "node:events";
import { connect } from "node:net";

/** What came back for one request. */
export interface RawAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * Sends one request, byte for byte as it is given, on a connection of its own. Reads to the end of the answer, or to the end of its head when it is a stream
 * that goes on.
 */
export async function sendBytes(port: number, bytes: string, { onlyHead = false } = {}): Promise<RawAnswer> {
  const socket = connect({ host: "127.0.0.1", port });
  // Latin-1 is what HTTP's octets are.
  socket.setEncoding("latin1").write(bytes, "latin1");
  let text = "";
  try {
    for await (const chunk of socket) {
      text += String(chunk);
      if (onlyHead && text.includes("\r\n\r\n")) break;
    }
  } finally {
    socket.destroy();
    if (!socket.closed) await once(socket, "close");
  }
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1];
  if (status === undefined)
    throw new Error(`no answer to ${JSON.stringify(bytes.slice(0, 300))}: ${JSON.stringify(text)}`);
  return { status: Number(status), text };
}
