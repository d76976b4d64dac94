import { entriesOf } from "../../catalog/catalog-part.js";
import type { EarlierUpstream } from "../upstream.js";
import type { StoredPart } from "./catalog-store.js";

/** What an upstream is told of its earlier life. @param asleep whether it is to begin asleep */
export const earlierOf = ({ facts, part }: StoredPart, asleep: boolean): EarlierUpstream => ({
  ...{ facts, asleep },
  tools: entriesOf(part, "tools"),
});
