import { rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { HttpFront } from "@cortex-os/mcp";

/** The control socket of a home, listening. */
export interface ControlSocket {
  readonly front: HttpFront;
  /** Removes the socket's file, if it is still this one's. */
  remove(): Promise<void>;
}

/**
 * Listens under a name of this process's own and then puts the socket in its place: nobody meets one that others could still
 * open, and closing the server, which removes the file it was made as, removes nobody else's.
 *
 * @param listen serves on the path it is given
 */
export async function openControlSocket(
  file: string,
  listen: (socketPath: string) => Promise<HttpFront>,
): Promise<ControlSocket> {
  // Not longer than the socket's own name: a longer path might not fit (see statePaths).
  const own = path.join(path.dirname(file), `${process.pid}.sock`);
  await rm(own, { force: true });
  const front = await listen(own);
  try {
    const { ino } = await stat(own);
    await rename(own, file);
    return {
      front,
      remove: async () => {
        if ((await inodeOf(file)) === ino) await rm(file, { force: true });
      },
    };
  } catch (error) {
    await front.close();
    throw error;
  }
}

const inodeOf = (file: string): Promise<number | undefined> =>
  stat(file).then(
    ({ ino }) => ino,
    () => undefined,
  );
