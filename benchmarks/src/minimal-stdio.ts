import { isJsonObject } from "@cortex-os/mcp-core/wire";
import type { MinimalServer } from "./minimal-server.js";

/** A {@link MinimalServer} over stdio: it reads whatever has come, answers it all, and writes once. */
export function minimalStdio(minimal: MinimalServer, input: NodeJS.ReadStream, output: NodeJS.WritableStream): void {
  let held = "";
  input.setEncoding("utf8");
  input.on("data", (text: string) => {
    const lines = (held + text).split("\n");
    held = lines.pop() ?? "";
    let answers = "";
    for (const line of lines) {
      const request: unknown = JSON.parse(line);
      if (!isJsonObject(request)) throw new Error("a message is one JSON object");
      const parts = minimal.answer(request);
      if (parts === undefined) continue;
      for (const notification of minimal.notifications(request)) answers += `${notification}\n`;
      answers += `${parts.join("")}\n`;
    }
    if (answers !== "") output.write(answers);
  });
}
