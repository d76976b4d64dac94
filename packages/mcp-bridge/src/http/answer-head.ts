import { answerForm, type AnswerForm } from "./answer-reader.js";
import { firstHeader, type RawHeaders } from "./response-reader.js";

/** What the head of an answer says that matters here. Of a header that came several times the first counts. */
export class AnswerHead {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly contentLength: string | undefined;
  /** Which of MCP's two forms the body has; `undefined` for none of them. */
  readonly form: AnswerForm | undefined;
  readonly #headers: RawHeaders;

  constructor(status: number, headers: RawHeaders) {
    this.status = status;
    this.contentType = firstHeader(headers, "content-type");
    this.contentLength = firstHeader(headers, "content-length");
    this.form = answerForm(this.contentType);
    this.#headers = headers;
  }

  /** Whether the body is encoded in a way that was not asked for. */
  get hasForeignEncoding(): boolean {
    const encoding = this.#encoding;
    return encoding !== undefined && encoding !== "identity";
  }

  /** The headers that a client may see; the others are between the gateway and its upstream. */
  passedOn(): Record<string, string> {
    const { contentType, contentLength } = this;
    // Written out, because an object that is built name by name costs as much as all the rest that is done with it.
    const kept: Record<string, string> =
      contentType === undefined
        ? {}
        : contentLength === undefined
          ? { "content-type": contentType }
          : { "content-type": contentType, "content-length": contentLength };
    if (contentType === undefined && contentLength !== undefined) kept["content-length"] = contentLength;
    for (const name of ALSO_PASSED_ON) {
      const value = firstHeader(this.#headers, name);
      if (value !== undefined) kept[name] = value;
    }
    return kept;
  }

  /** What is wrong with it, when it cannot be read. */
  describe(): string {
    if (this.hasForeignEncoding)
      return `answered in the encoding ${JSON.stringify(this.#encoding)}, which was not asked for`;
    const { contentType } = this;
    const what = contentType === undefined ? "no content type" : `the content type ${JSON.stringify(contentType)}`;
    return `answered HTTP ${this.status} with ${what} instead of JSON or an event stream`;
  }

  get #encoding(): string | undefined {
    return firstHeader(this.#headers, "content-encoding");
  }
}

/** Beside type and length. */
const ALSO_PASSED_ON = ["cache-control", "x-accel-buffering"] as const;
