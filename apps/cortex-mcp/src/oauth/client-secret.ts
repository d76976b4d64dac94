import { readFile } from "node:fs/promises";
import type { OAuthSettings } from "@cortex-os/mcp-core";
import { reasonOf, userError } from "../user-error.js";

/**
 * The secret of a client that was registered by hand, from where its entry says it is; `undefined` when it says nothing.
 *
 * @throws GatewayError USER_INPUT when it is not there
 */
export async function clientSecret(
  key: string,
  { clientSecretEnv, clientSecretFile }: OAuthSettings,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  if (clientSecretEnv !== undefined) {
    const value = env[clientSecretEnv] ?? "";
    if (value !== "") return value;
    throw userError(`connector "${key}" cannot be authorised: the environment variable ${clientSecretEnv} is not set`);
  }
  if (clientSecretFile === undefined) return undefined;
  try {
    return (await readFile(clientSecretFile, "utf8")).trim();
  } catch (error) {
    const message = `connector "${key}" cannot be authorised: its clientSecretFile cannot be read`;
    throw userError(message, { cause: new Error(reasonOf(error)) });
  }
}
