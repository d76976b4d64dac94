import type { JsonObject } from "@cortex-os/mcp-core/wire";

/** A message as the line it is sent in; `undefined` for one that is nested too deeply to be encoded. */
export function encodeLine(message: object): string | undefined {
  try {
    return `${JSON.stringify(message)}\n`;
  } catch {
    return undefined;
  }
}

/** The same of a request. */
export function encodeRequest(id: number, method: string, params: JsonObject): string | undefined {
  try {
    return `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)},"params":${JSON.stringify(params)}}\n`;
  } catch {
    return undefined;
  }
}
