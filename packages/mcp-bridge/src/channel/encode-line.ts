/** A message as the line it is sent in; `undefined` for one that is nested too deeply to be encoded. */
export function encodeLine(message: object): string | undefined {
  try {
    return `${JSON.stringify(message)}\n`;
  } catch {
    return undefined;
  }
}
