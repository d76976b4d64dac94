import { WIRE_CODE } from "@cortex-os/mcp-core";
import { isJsonObject, type JsonObject } from "@cortex-os/mcp-core/wire";
import { CallError } from "../../control/call-error.js";
import { withGateway, type GatewayAccess } from "../../control/gateway-access.js";
import type { Io } from "../../io.js";
import { jsonText } from "../../output.js";
import { didYouMean } from "../../suggest.js";
import { userError } from "../../user-error.js";
import { resultText } from "../result-text.js";

/** Exits 1 when the tool itself reports an error, as the protocol's `isError` says. */
export async function call(io: Io, tool: string, json: string, asJson: boolean): Promise<number> {
  const args = parsedArguments(json === "-" ? await io.readInput() : json);
  const result = await withGateway(io, (gateway) => callOnce(io, gateway, tool, args), tool);
  const failed = result["isError"] === true;
  io.out(asJson ? jsonText(result) : resultText(result));
  if (failed && !asJson) io.err(`${tool} reported an error`);
  return failed ? 1 : 0;
}

async function callOnce(io: Io, gateway: GatewayAccess, tool: string, args: JsonObject): Promise<JsonObject> {
  const interrupt = new AbortController();
  const stopListening = io.onSignal(() => {
    interrupt.abort();
  });
  try {
    return await gateway.call(tool, args, interrupt.signal);
  } catch (error) {
    if (interrupt.signal.aborted) {
      throw new CallError("CANCELLED", `the call of ${tool} was interrupted`, { cause: error });
    }
    if (!(error instanceof CallError) || error.code !== WIRE_CODE.TOOL_UNKNOWN) throw error;
    const names = (await gateway.tools()).map(({ name }) => name);
    // The upstream of a tool that exists uses this code too, for arguments it does not like.
    if (names.includes(tool)) throw error;
    const hint = didYouMean(tool, names) || "; cortex-mcp tools shows what there is";
    throw new CallError(error.code, `there is no tool ${JSON.stringify(tool)}${hint}`, { cause: error });
  } finally {
    stopListening();
  }
}

function parsedArguments(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw userError(`the arguments are not JSON; write them like '{"message":"hello"}'`, { cause: error });
  }
  if (isJsonObject(value)) return value;
  throw userError(`the arguments must be a JSON object; write them like '{"message":"hello"}'`);
}
