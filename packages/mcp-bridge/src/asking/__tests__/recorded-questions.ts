import type { AskedQuestion, UpstreamQuestion } from "../question.js";

/** What a client was asked, in which session, and why it needs no answer any more. */
export interface RecordedQuestion extends UpstreamQuestion {
  readonly sessionKey?: string | undefined;
  withdrawn?: string | undefined;
}

/** Stands for clients: keeps what they are asked, for the test to answer. */
export class RecordedQuestions {
  readonly all: RecordedQuestion[] = [];
  /** Set to false when there shall be no way to any client. */
  isThere = true;

  readonly ask = (question: UpstreamQuestion, sessionKey?: string): AskedQuestion | undefined => {
    if (!this.isThere) return undefined;
    const recorded: RecordedQuestion = { ...question, sessionKey };
    this.all.push(recorded);
    return {
      withdraw: (reason) => {
        recorded.withdrawn = reason ?? "no reason";
      },
    };
  };

  /** The only one; throws when there is none or there are several. */
  get only(): RecordedQuestion {
    const [first, ...others] = this.all;
    if (first === undefined || others.length > 0) throw new Error(`asked ${this.all.length} questions`);
    return first;
  }
}
