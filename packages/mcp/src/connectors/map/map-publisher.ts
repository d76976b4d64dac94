import { createHash } from "node:crypto";
import { shownUrl } from "../shown-url.js";

/** Whose service maps are stored. */
export interface MapPublisher {
  /** A hash of the whole URL, whose query may hold a token. */
  readonly id: string;
  /** Origin and path, for people. */
  readonly url: string;
}

/** The publisher at a URL: user name, API key and fragment do not matter, the query does. */
export function publisherAt(serviceMapUrl: string): MapPublisher {
  const id = createHash("sha256").update(placeOf(serviceMapUrl)).digest("hex");
  return { id, url: shownUrl(serviceMapUrl) };
}

/** What is no URL is refused by whoever fetches it, with better words than there would be here. */
function placeOf(url: string): string {
  if (!URL.canParse(url)) return url;
  const { origin, pathname, search } = new URL(url);
  return `${origin}${pathname}${search}`;
}
