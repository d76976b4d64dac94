import type { Members } from "./message.js";
import type { MatrixClient } from "./matrix-client.js";

/** Every entry of a list that has pages, in the order in which they came. */
export async function everyPage(
  client: Pick<MatrixClient, "request">,
  method: string,
  member: string,
): Promise<{ readonly entries: readonly Members[]; readonly pages: number }> {
  const entries: Members[] = [];
  let pages = 0;
  let cursor: unknown;
  do {
    const result = await client.request(method, cursor === undefined ? {} : { cursor });
    entries.push(...(result[member] as readonly Members[]));
    pages += 1;
    cursor = result["nextCursor"];
  } while (cursor !== undefined);
  return { entries, pages };
}
