import type { ServerInfo } from "@cortex-os/mcp-core";
import type { Config } from "./config/schema.js";

/** What stands in the output where a secret would. */
const MASK = "***";

const SECRET_FLAG = /^--?[\w-]*(?:key|token|secret|password|passwd|auth|credential)[\w-]*$/i;
const SECRET_ASSIGNMENT = /^(--?[\w-]*(?:key|token|secret|password|passwd|auth|credential)[\w-]*=).+$/i;

/**
 * A registry entry that may be shown: every value of `headers` and `env`, user information and the query values of a URL
 * (some services take their key there), and what follows an argument that is named like a secret become {@link MASK}.
 */
export function maskServer(entry: ServerInfo): ServerInfo {
  return {
    ...entry,
    ...(entry.env === undefined ? {} : { env: maskValues(entry.env) }),
    ...(entry.headers === undefined ? {} : { headers: maskValues(entry.headers) }),
    ...(entry.endpoint === undefined ? {} : { endpoint: maskUrl(entry.endpoint) }),
    ...(entry.args === undefined ? {} : { args: maskArguments(entry.args) }),
  };
}

/** A configuration that may be shown: the API key is masked, and what is secret in the URL of the service map. */
export function maskConfig(config: Config): Config {
  const { url, apiKey } = config.serviceMap;
  const masked = {
    ...(url === undefined ? {} : { url: maskUrl(url) }),
    ...(apiKey === undefined ? {} : { apiKey: MASK }),
  };
  return { ...config, serviceMap: { ...config.serviceMap, ...masked } };
}

/** The record with every value masked. */
function maskValues(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.keys(record).map((key) => [key, MASK]));
}

/**
 * The URL with its password and its query values masked, and a user name that stands alone: that is where a token goes (`https://TOKEN@host`). What is
 * no URL comes back as it is.
 */
export function maskUrl(text: string): string {
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
  if (url.username === "" && url.password === "" && url.search === "") return text;
  if (url.password !== "") url.password = MASK;
  else if (url.username !== "") url.username = MASK;
  for (const key of new Set(url.searchParams.keys())) url.searchParams.set(key, MASK);
  return url.href;
}

/** The arguments with values masked that follow a flag named like a secret (`--api-key X`, `--token=X`). */
export function maskArguments(args: readonly string[]): string[] {
  return args.map((arg, index) => {
    const before = args[index - 1];
    if (before !== undefined && SECRET_FLAG.test(before) && !arg.startsWith("-")) return MASK;
    return arg.replace(SECRET_ASSIGNMENT, `$1${MASK}`);
  });
}
