import type { JsonObject } from "@cortex-os/mcp-core/wire";
import { expect } from "vitest";
import { callTool, linkTo, type LinkSetup, type LinkUnderTest } from "./support.js";

export const ALL: JsonObject = {
  tools: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  prompts: { listChanged: true },
  logging: {},
};

/** A server of an era and with these capabilities, and what can be seen of it. */
export async function serverOf(era: "legacy" | "modern", capabilities: JsonObject = ALL, setup: LinkSetup = {}) {
  const under: LinkUnderTest = linkTo({
    ...setup,
    args: ["--era", era, "--capabilities", JSON.stringify(capabilities)],
  });
  await under.open();
  /** The params of every request of this method that it got. */
  const asked = async (method: string, over: Parameters<typeof callTool>[3] = {}): Promise<JsonObject[]> => {
    const { text } = await callTool(under, "asked", {}, over);
    const all = JSON.parse(text) as { method: string; params: JsonObject }[];
    return all.filter((one) => one.method === method).map(({ params }) => params);
  };
  /** Has it say something, and waits until it has. */
  const says = async (messages: JsonObject[], args: JsonObject = {}, over: Parameters<typeof callTool>[3] = {}) => {
    expect((await callTool(under, "say", { messages, ...args }, over)).text).toBe("ok");
  };
  return { ...under, under, asked, says };
}
