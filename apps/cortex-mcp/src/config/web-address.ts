const HTTP: ReadonlySet<string> = new Set(["http:", "https:"]);

/** What is wrong with `text` as the address of a service map, or `undefined`. It does not repeat the text, which may hold a token. */
export function mapUrlProblem(text: string): string | undefined {
  const url = httpUrl(text);
  if (url === undefined) return "must be an http or https URL, such as https://host/v1/connectors/service-map";
  if (url.username === "" && url.password === "") return undefined;
  return "must hold no user and no password; give its key as CORTEX_MCP_SERVICE_MAP_API_KEY";
}

/** Whether `text` is an origin as browsers write it: scheme and host, the port if it is not the scheme's own, and nothing else. */
export const isOrigin = (text: string): boolean => httpUrl(text)?.origin === text;

function httpUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return HTTP.has(url.protocol) ? url : undefined;
}
