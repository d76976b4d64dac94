/** Whether a request's body is JSON, as its `Content-Type` says. */
export const isJson = (contentType: string | undefined): boolean =>
  contentType === "application/json" ||
  (contentType !== undefined && /^application\/json\s*(?:;|$)/i.test(contentType));
