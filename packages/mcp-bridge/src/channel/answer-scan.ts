import { isUtf8 } from "node:buffer";
import { MAX_JSON_DEPTH } from "@cortex-os/mcp-core/wire";
import { NOWHERE, skipSpace, skipValue } from "./json-skip.js";

const OPEN = 0x7b;
const CLOSE = 0x7d;
const QUOTE = 0x22;
const COLON = 0x3a;
const COMMA = 0x2c;
const ZERO = 0x30;
const NINE = 0x39;
const CARRIAGE_RETURN = 0x0d;
/** Ids of more digits than this are not of ours, and could not be told apart once they were read. */
const MAX_DIGITS = 15;

const JSONRPC = Buffer.from('jsonrpc"');
const ID = Buffer.from('id"');
const RESULT = Buffer.from('result"');
const VERSION = Buffer.from('"2.0"');

/**
 * Looks at one line of a peer's for a good answer: which request it is to, and between which bytes its result is. The result is not read, so that it can be passed
 * on as it came.
 *
 * It is sure or says no, and whoever asks reads the line as JSON then: a line is an answer here if it is one object with exactly the members `jsonrpc`, `id` and
 * `result`, each once and its name spelled without escapes; the id a plain whole number; the result an object of no more levels than the gateway passes on; all of it
 * JSON as far as that can be seen from outside of strings, and UTF-8, without a carriage return, which would end a line elsewhere. Everything else that may come over
 * a channel (errors, requests, notifications, batches, what is malformed) is not.
 */
export class AnswerScan {
  /** Of the last line that {@link read} was sure of: the id of the request. */
  id = 0;
  /** Where its result begins. */
  from = 0;
  /** Where its result ends. */
  to = 0;

  /** @returns whether it is a good answer for sure */
  read(line: Buffer): boolean {
    if (line[0] !== OPEN) return false;
    this.id = NOWHERE;
    this.from = NOWHERE;
    let hasVersion = false;
    let at = 0;
    do {
      at = skipSpace(line, at + 1);
      if (line[at] !== QUOTE) return false;
      at += 1;
      if (!hasVersion && matches(line, at, JSONRPC)) {
        at = valueAfter(line, at + JSONRPC.length);
        if (at === NOWHERE || !matches(line, at, VERSION)) return false;
        at += VERSION.length;
        hasVersion = true;
      } else if (this.id === NOWHERE && matches(line, at, ID)) {
        at = this.#readId(line, valueAfter(line, at + ID.length));
      } else if (this.from === NOWHERE && matches(line, at, RESULT)) {
        at = this.#skipResult(line, valueAfter(line, at + RESULT.length));
      } else {
        return false;
      }
      if (at === NOWHERE) return false;
      at = skipSpace(line, at);
    } while (line[at] === COMMA);
    if (line[at] !== CLOSE || !hasVersion || this.id === NOWHERE || this.from === NOWHERE) return false;
    return isOnlySpace(line, at + 1) && !hasReturn(line, at) && isUtf8(line);
  }

  #readId(line: Buffer, from: number): number {
    if (from === NOWHERE) return NOWHERE;
    let id = 0;
    let at = from;
    for (let byte = line[at]; byte !== undefined && byte >= ZERO && byte <= NINE; byte = line[at]) {
      id = id * 10 + byte - ZERO;
      at += 1;
    }
    const digits = at - from;
    if (digits === 0 || digits > MAX_DIGITS || (digits > 1 && line[from] === ZERO)) return NOWHERE;
    this.id = id;
    return at;
  }

  #skipResult(line: Buffer, from: number): number {
    if (from === NOWHERE || line[from] !== OPEN) return NOWHERE;
    this.from = from;
    this.to = skipValue(line, from, MAX_JSON_DEPTH);
    return this.to;
  }
}

function matches(line: Buffer, at: number, bytes: Buffer): boolean {
  for (let index = 0; index < bytes.length; index += 1) if (line[at + index] !== bytes[index]) return false;
  return true;
}

/** Where the value begins of a name whose closing quote is before `at`. */
function valueAfter(line: Buffer, at: number): number {
  const colon = skipSpace(line, at);
  return line[colon] === COLON ? skipSpace(line, colon + 1) : NOWHERE;
}

/** Before `end`; what ends the line may be one. */
function hasReturn(line: Buffer, end: number): boolean {
  const at = line.indexOf(CARRIAGE_RETURN);
  return at !== -1 && at < end;
}

const isOnlySpace = (line: Buffer, at: number): boolean => skipSpace(line, at) === line.length;
