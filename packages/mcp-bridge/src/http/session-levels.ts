import { isJsonObject, moreVerbose, type LogLevel } from "@cortex-os/mcp-core/wire";
import { offersLogging } from "../log-levels.js";
import type { LegacySession, SessionFacts } from "./legacy-session.js";

/** From which level on a session is to send log messages. */
export interface LevelWish {
  readonly level: LogLevel;
  /** Whether others use the session too: then it is told more, never less. */
  readonly isShared: boolean;
  /** The client session whose own it is. */
  readonly sessionKey?: string;
}

interface Telling {
  readonly level: LogLevel;
  readonly done: Promise<void>;
  isUnderWay: boolean;
}

/** Tells a session what it has not been told yet. */
type Tell = (session: LegacySession, wish: LevelWish) => Promise<unknown>;

/** What the sessions of a legacy upstream were told about log messages: each level once, and a session that was opened anew has been told nothing. */
export class SessionLevels {
  readonly #tell: Tell;
  readonly #told = new WeakMap<SessionFacts, Telling>();

  /** @param tell what comes of it changes nothing: an upstream that refuses a level is not told it again */
  constructor(tell: Tell) {
    this.#tell = tell;
  }

  /** Calls `then` when an open session was told what is wished: at once, if there is nothing to tell. */
  before(session: LegacySession, wish: LevelWish | undefined, then: () => void): void {
    const { facts } = session;
    if (wish === undefined || facts === undefined || !takesLevels(facts)) {
      then();
      return;
    }
    const told = this.#told.get(facts);
    const level = wish.isShared ? (moreVerbose(told?.level, wish.level) ?? wish.level) : wish.level;
    const telling = told?.level === level ? told : this.#begin(session, facts, { ...wish, level }, told);
    if (telling.isUnderWay) void telling.done.then(then);
    else then();
  }

  #begin(session: LegacySession, facts: SessionFacts, wish: LevelWish, last: Telling | undefined): Telling {
    const over = () => {
      telling.isUnderWay = false;
    };
    // In turn: two requests may arrive in either order.
    const done = (last?.done ?? Promise.resolve()).then(() => this.#tell(session, wish)).then(over, over);
    const telling: Telling = { level: wish.level, done, isUnderWay: true };
    this.#told.set(facts, telling);
    return telling;
  }
}

function takesLevels({ result }: SessionFacts): boolean {
  const { capabilities } = result;
  return isJsonObject(capabilities) && offersLogging(capabilities);
}
