import { ServerInfoSchema, type ServerInfo } from "@cortex-os/mcp-core";
import { isJsonObject, type JsonObject } from "@cortex-os/mcp-core/wire";
import { reasonOfIssues } from "@cortex-os/mcp-registry";
import type { Io } from "../../io.js";
import { openRegistry } from "../../registry.js";
import { userError } from "../../user-error.js";
import type { JsonFlag } from "../command-context.js";
import { checkedCommand } from "../command-lookup.js";
import { saveNew } from "../save-new.js";
import { checkedName } from "../server-from-words.js";

/** Flags of `add-json`. */
export interface AddJsonFlags extends JsonFlag {
  readonly force?: true;
}

/** Puts the server that `text` describes into the registry. Resolves with the exit code. */
export async function addJson(io: Io, name: string, text: string, { force, json }: AddJsonFlags): Promise<number> {
  const entry = await serverFromJson(name, text, io);
  return saveNew(io, openRegistry(io), entry, { force: force === true, json: json === true });
}

/**
 * The registry entry that `text` stands for. Members it does not know are kept, as in `servers.json`.
 *
 * @throws GatewayError USER_INPUT when it is not JSON, no object, or no server; values are never repeated in the message
 */
async function serverFromJson(name: string, text: string, io: Pick<Io, "cwd" | "env">): Promise<ServerInfo> {
  checkedName(name);
  const value = parsed(name, text);
  if (value["name"] !== undefined && value["name"] !== name) {
    throw userError(
      `the JSON names its server otherwise than ${JSON.stringify(name)}; make them equal or leave "name" out`,
    );
  }
  const checked = ServerInfoSchema.safeParse({ ...inOurWords(value), name });
  if (!checked.success) {
    throw userError(`the JSON describes no server: ${reasonOfIssues(checked.error.issues)}`);
  }
  const entry = checked.data;
  if (entry.command === undefined || entry.cwd !== undefined) return entry;
  return { ...entry, command: await checkedCommand(entry.command, io) };
}

function parsed(name: string, text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser would quote the text, and with it what is secret in it.
    throw userError(`what follows ${name} is not JSON; put it in single quotes and check its commas and double quotes`);
  }
  if (!isJsonObject(value)) {
    throw userError(`what follows ${name} must be one JSON object, such as '{"url":"https://host/mcp"}'`);
  }
  return value;
}

/** `type` and `url` are what most clients' files call `transport` and `endpoint`. */
function inOurWords({ type, url, ...rest }: JsonObject): JsonObject {
  return {
    ...rest,
    ...(type === undefined || rest["transport"] !== undefined
      ? {}
      : { transport: type === "streamable-http" ? "http" : type }),
    ...(url === undefined || rest["endpoint"] !== undefined ? {} : { endpoint: url }),
  };
}
