import { isHeaderName, isReservedHeader } from "@cortex-os/mcp-bridge";
import type { ConnectorEntry } from "@cortex-os/protocol";
import { isAmong } from "./map-addresses.js";

/** Who gets the key of the service map's connectors. */
export interface CredentialRules {
  /** `CONNECTORS_API_KEY`. */
  readonly connectorsApiKey?: string | undefined;
  /** The origins it may be sent to; `undefined`: to any. */
  readonly credentialOrigins: readonly string[] | undefined;
}

/** The header that carries a connector's credential, none, or why it cannot have one. */
export type CredentialVerdict =
  | { readonly ok: true; readonly header?: readonly [name: string, value: string] }
  | { readonly ok: false; readonly reason: string };

/** The headers of a map's entry that are sent, and the names of those that are not. */
export interface MapHeaders {
  readonly headers: Readonly<Record<string, string>>;
  readonly refused: readonly string[];
}

/**
 * What a connector's `auth` comes to (R8; design.md, contracts: Credentials and addresses). The key goes only where local configuration says: the map alone
 * does not decide who gets it.
 */
export function credentialOf({ auth }: ConnectorEntry, origin: string, rules: CredentialRules): CredentialVerdict {
  if (auth.type === "none") return { ok: true };
  const name = (auth.type === "apiKey" ? auth.headerName : undefined) ?? "Authorization";
  if (!isHeaderName(name) || isForbidden(name))
    return refused(
      `its auth.headerName ${JSON.stringify(name.slice(0, 100))} may not carry a credential; publish another`,
    );
  const { connectorsApiKey: key = "", credentialOrigins } = rules;
  if (credentialOrigins !== undefined && !isAmong(origin, credentialOrigins))
    return refused(
      `its origin ${origin} may not get CONNECTORS_API_KEY; add it to serviceMap.credentialOrigins if it may`,
    );
  if (key === "") return refused("it needs a credential, and CONNECTORS_API_KEY is not set; set it for the gateway");
  return { ok: true, header: [name, name.toLowerCase() === "authorization" ? `Bearer ${key}` : key] };
}

/** Sorts out the `headers` of a map's entry. One of the credential's name gives way to it. */
export function mapHeaders({ headers = {} }: ConnectorEntry, credential?: readonly [string, string]): MapHeaders {
  const sent: Record<string, string> = {};
  const refusedNames: string[] = [];
  const taken = credential?.[0].toLowerCase();
  for (const [name, value] of Object.entries(headers)) {
    if (isForbidden(name)) refusedNames.push(name);
    else if (name.toLowerCase() !== taken) sent[name] = value;
  }
  if (credential !== undefined) sent[credential[0]] = credential[1];
  return { headers: sent, refused: refusedNames };
}

/** Beside what no configuration may set: what says in which form a body is or may be, and what carries somebody's session. */
function isForbidden(name: string): boolean {
  const key = name.toLowerCase();
  return isReservedHeader(key) || key === "cookie" || key.startsWith("content-") || key.startsWith("accept");
}

const refused = (reason: string): CredentialVerdict => ({ ok: false, reason });
