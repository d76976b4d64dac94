import { LineReader } from "@cortex-os/mcp-bridge";
import { GatewayError } from "@cortex-os/mcp-core";
import type { RequestId } from "@cortex-os/mcp-core/wire";
import { cutRequestId, HEAD_CHARACTERS } from "./cut-request-id.js";

/** What {@link MessageLines} tell of. */
export interface MessageLinesEvents {
  /** A line that is not blank. */
  readonly onLine: (line: string) => void;
  /** One that is longer than it may be was dropped; `id` is that of the request, if it could be seen. */
  readonly onTooLong: (refusal: GatewayError, id: RequestId | undefined) => void;
}

/**
 * Reads a client's messages, a line each. Of one that is too long the two ends are looked at, so that its refusal says which request it is of: a client that is not
 * told waits for its own timeout.
 */
export class MessageLines {
  readonly #reader: LineReader;
  /** The beginning of one that is too long, until its end has come. */
  #head: string | undefined;

  /** @param maxBytes longest message */
  constructor(maxBytes: number, { onLine, onTooLong }: MessageLinesEvents) {
    const refuse = (id: RequestId | undefined): void => {
      this.#head = undefined;
      onTooLong(new GatewayError("INVALID_REQUEST", `The message is larger than ${maxBytes} bytes`), id);
    };
    const onCutEnd = (tail: string): void => {
      if (this.#head !== undefined) refuse(cutRequestId(this.#head, tail));
    };
    this.#reader = new LineReader(
      maxBytes,
      (bytes, isCut) => {
        const line = bytes.toString();
        if (!isCut) {
          if (line.trim() !== "") onLine(line);
          return;
        }
        this.#head = line.slice(0, HEAD_CHARACTERS);
        const id = cutRequestId(this.#head);
        if (id !== undefined) refuse(id);
      },
      onCutEnd,
    );
  }

  push(chunk: Buffer): void {
    this.#reader.push(chunk);
  }
}
