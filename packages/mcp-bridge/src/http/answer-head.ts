/** Response headers as undici gives them. */
export type Headers = Record<string, string | string[] | undefined>;

/** The only value of a header; the first of several. */
export function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

/** Whether the body is encoded in a way that was not asked for. */
export function hasForeignEncoding(headers: Headers): boolean {
  const encoding = single(headers["content-encoding"]);
  return encoding !== undefined && encoding !== "identity";
}

/** What is wrong with the head of an answer that cannot be read. */
export function unreadable(status: number, headers: Headers): string {
  if (hasForeignEncoding(headers)) {
    const encoding = JSON.stringify(single(headers["content-encoding"]));
    return `answered in the encoding ${encoding}, which was not asked for`;
  }
  const contentType = single(headers["content-type"]);
  const what = contentType === undefined ? "no content type" : `the content type ${JSON.stringify(contentType)}`;
  return `answered HTTP ${status} with ${what} instead of JSON or an event stream`;
}
