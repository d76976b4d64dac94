import { expect } from "vitest";
import { answerOf, QUESTION_KINDS, type QuestionKind } from "../answers.js";
import { named, statusOf, type Operation, type Trial } from "../operation.js";
import type { Reason } from "../reasons.js";

const isAcross = ({ kind, upstream }: Trial): boolean => kind.era !== upstream.era;

const refusalOf = (asked: QuestionKind, trial: Trial): Reason | undefined => {
  if (trial.upstream.isStateless) return "nobodyToAsk";
  if (isAcross(trial)) return trial.kind.era === "legacy" ? "asksModern" : "asksLegacy";
  return asked === "elicitation" && trial.kind.revision < "2025-06-18" ? "noElicitation" : undefined;
};

/** The upstream's own word that it does not ask. */
async function expectNotAsked(trial: Trial, asked: QuestionKind, why: string): Promise<void> {
  const call = { name: named(trial, "ask"), arguments: { kind: asked } };
  const { content, isError } = await trial.client.request("tools/call", call);
  expect(isError).toBe(true);
  expect(content).toMatchObject([{ text: expect.stringContaining(why) }]);
}

/** One that asks all the same hears from the gateway that it does not pass on the question. */
async function expectNotPassedOn(trial: Trial, asked: QuestionKind): Promise<void> {
  const call = { name: named(trial, "ask"), arguments: { kind: asked, force: true } };
  const { structuredContent } = await trial.client.request("tools/call", call);
  const why =
    trial.kind.era === "modern"
      ? // The second of several who share a connection of theirs: none of them can be asked.
        /it speaks revision 2026-07-28, in which servers send no requests|no client with a call under way offers it/
      : /The client does not offer elicitation\/create: it did not declare elicitation/;
  expect(structuredContent).toEqual({ error: { code: -32_601, message: expect.stringMatching(why) } });
}

/** A server that asks the client back in the middle of a call. */
export const ASKING_OPERATIONS: readonly Operation[] = QUESTION_KINDS.map((asked) => ({
  title: `asked back for ${asked === "elicitation" ? "an elicitation" : asked}`,
  needsQuiet: true,
  refusal: (trial) => refusalOf(asked, trial),
  note: ({ upstream }) => (upstream.isShared ? "sharedChild" : undefined),
  works: async (trial) => {
    const call = { name: named(trial, "ask"), arguments: { kind: asked } };
    const { structuredContent } = await trial.client.request("tools/call", call);
    // It is this client that answered, and what it answered.
    expect(structuredContent).toMatchObject({ answer: answerOf(trial.kind.title, asked) });
  },
  refused: async (trial) => {
    switch (refusalOf(asked, trial)) {
      case "noElicitation":
      case "asksLegacy":
        // Towards a server that all clients share, what some client might answer is declared.
        if (!trial.upstream.isShared) await expectNotAsked(trial, asked, "The client is not asked: it did not declare");
        return expectNotPassedOn(trial, asked);
      case "nobodyToAsk":
        return expectNotAsked(trial, asked, "The client is not asked");
      default: {
        const call = { name: named(trial, "ask"), arguments: { kind: asked } };
        const { status, error } = await trial.client.raw.exchange("tools/call", call);
        expect(error).toEqual({
          code: -32_021,
          message: `The client did not declare ${asked}`,
          data: { requiredCapabilities: { [asked]: asked === "elicitation" ? expect.anything() : {} } },
        });
        expect(status).toBe(statusOf(trial, 400));
        // One that asks all the same is not passed on.
        const forced = { ...call, arguments: { kind: asked, force: true } };
        await expect(trial.client.request("tools/call", forced)).rejects.toMatchObject({
          code: -32_603,
          message: expect.stringContaining(
            "The connector asks for input in a way that needs a client of revision 2026-07-28 or later",
          ),
        });
      }
    }
  },
}));
