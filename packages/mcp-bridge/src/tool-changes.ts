import { isJsonObject, type JsonObject } from "@cortex-os/mcp-core/wire";

/** Whether an upstream with these capabilities claims to tell of changes of its tools. */
export function claimsToolChanges({ tools }: JsonObject): boolean {
  return isJsonObject(tools) && tools["listChanged"] === true;
}

/** Whether the params of an acknowledgement grant what was asked for (2026-07-28, Subscriptions): a server may grant less. */
export function grantsToolChanges(params: JsonObject | undefined): boolean {
  const granted = params?.["notifications"];
  return isJsonObject(granted) && granted["toolsListChanged"] === true;
}
