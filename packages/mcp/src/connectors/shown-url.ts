/**
 * A URL as logs, errors and status may show it: origin and path only. User name, password, query and fragment may hold tokens.
 *
 * @returns words that say so when `url` is none
 */
export function shownUrl(url: string): string {
  if (!URL.canParse(url)) return "(not a URL)";
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
