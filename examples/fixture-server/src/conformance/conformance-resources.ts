import { PIXEL_PNG } from "../pixel.js";
import { authorityOf } from "../resources/authority.js";
import { text } from "../resources/builtin-resources.js";
import type { Resource, ResourceTemplate } from "../resources/resource.js";

const BINARY = "test://static-binary";

/** The resources that the official suite reads and watches. */
export const conformanceResources = (serverName: string): Resource[] => [
  text("test://static-text", "static-text", "This is the content of the static text resource."),
  {
    definition: { uri: BINARY, name: "static-binary", description: "An image.", mimeType: "image/png" },
    read: () => ({ contents: [{ uri: BINARY, mimeType: "image/png", blob: PIXEL_PNG }] }),
  },
  text("test://watched-resource", "watched-resource", "Something to watch."),
  // The suite also reads whichever is listed first, and that must not be one that asks back.
  text(`${authorityOf(serverName)}/about`, "about", `about ${serverName}`),
];

const URI = /^test:\/\/template\/(?<id>[\w.~-]+)\/data$/;

/** The template that the official suite reads from. */
export const conformanceTemplate: ResourceTemplate = {
  definition: {
    uriTemplate: "test://template/{id}/data",
    name: "template",
    description: "The data of this id.",
    mimeType: "application/json",
  },
  read(uri) {
    const id = URI.exec(uri)?.groups?.["id"];
    if (id === undefined) return undefined;
    const content = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` });
    return { contents: [{ uri, mimeType: "application/json", text: content }] };
  },
  valuesOf: () => [],
};
