import { authorityOf } from "./authority.js";
import { textRead, type ResourceTemplate } from "./resource.js";

/** More than one answer of `completion/complete` may hold. */
const ITEMS = 150;
const IDS = Array.from({ length: ITEMS }, (_, index) => String(index).padStart(3, "0"));

/** `fixture://<name>/item/{id}`: any id can be read, and 150 of them are known for completion. */
export function itemTemplate(name: string): ResourceTemplate {
  const prefix = `${authorityOf(name)}/item/`;
  return {
    definition: {
      uriTemplate: `${prefix}{id}`,
      name: "item",
      title: "Item",
      description: "The item of this id.",
      mimeType: "text/plain",
    },
    read(uri) {
      const id = uri.startsWith(prefix) ? decoded(uri.slice(prefix.length)) : undefined;
      return id === undefined ? undefined : textRead(uri, `item ${id} of ${name}`);
    },
    valuesOf: (variable) => (variable === "id" ? IDS : []),
  };
}

/** The value of a simple expansion (RFC 6570, 3.2.2): never empty here, and without reserved characters. */
function decoded(segment: string): string | undefined {
  if (!/^(?:[\w.~-]|%[\da-f]{2})+$/i.test(segment)) return undefined;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
