/**
 * What a child gets of the gateway's own environment: who and where it is, its language, and what package runners
 * (`npx`, `uvx`) need to reach their registry. Never the rest: the gateway's environment holds its own secrets.
 */
const PASSED_ON: ReadonlySet<string> = new Set([
  ..."PATH HOME USER LOGNAME SHELL TERM TZ LANG LANGUAGE TMPDIR TMP TEMP".split(" "),
  ..."XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME XDG_RUNTIME_DIR XDG_STATE_HOME".split(" "),
  ..."NODE_EXTRA_CA_CERTS SSL_CERT_DIR SSL_CERT_FILE".split(" "),
  ..."npm_config_cache npm_config_registry npm_config_userconfig".split(" "),
  ..."HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy".split(" "),
]);

/** Where commands are looked for when the gateway itself has no `PATH`. */
const FALLBACK_PATH = "/usr/local/bin:/usr/bin:/bin";

/**
 * The environment of a child: a minimal part of the gateway's own, and on top of it what its entry says.
 *
 * A proxy or registry URL with a user name or password in it stays behind: a server that needs one gets it by its entry.
 */
export function childEnvironment(
  host: Readonly<Record<string, string | undefined>>,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  const environment: Record<string, string> = { PATH: FALLBACK_PATH };
  for (const [name, value] of Object.entries(host)) {
    if (value === undefined || value === "" || holdsCredentials(value)) continue;
    if (PASSED_ON.has(name) || name.startsWith("LC_")) environment[name] = value;
  }
  return { ...environment, ...own };
}

function holdsCredentials(value: string): boolean {
  if (!value.includes("@") || !URL.canParse(value)) return false;
  const { username, password } = new URL(value);
  return username !== "" || password !== "";
}
