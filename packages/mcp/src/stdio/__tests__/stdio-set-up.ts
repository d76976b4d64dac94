import { PassThrough } from "node:stream";
import { onTestFinished } from "vitest";
import { startGateway, type RunningGateway } from "../../__tests__/support/gateway.js";
import { StreamClient } from "../../__tests__/support/stream-client.js";
import { StdioConversation, type StdioOptions } from "../stdio-conversation.js";

/** A client that is served over a pair of streams, and what it was made of. */
export interface Talk {
  readonly client: StreamClient;
  readonly conversation: StdioConversation;
  /** What the client writes into. */
  readonly input: PassThrough;
  /** What the gateway writes into. */
  readonly output: PassThrough;
}

/** Serves a client of `running` until the test is over. */
export function talkTo(running: RunningGateway, options: Partial<StdioOptions> = {}): Talk {
  const { input, output } = { input: new PassThrough(), output: new PassThrough() };
  const { gateway, logger, metrics } = running;
  const conversation = new StdioConversation(gateway, { input, output, logger, metrics, ...options });
  onTestFinished(async () => {
    conversation.close();
    await conversation.ended;
  });
  return { client: new StreamClient(output, input), conversation, input, output };
}

/** A gateway that is ready, and a client on streams. */
export async function startTalk(
  specs: Parameters<typeof startGateway>[0],
  options: Partial<StdioOptions> = {},
): Promise<Talk & RunningGateway> {
  const running = await startGateway(specs);
  await running.gateway.settled();
  return { ...running, ...talkTo(running, options) };
}
