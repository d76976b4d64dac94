import { randomUUID } from "node:crypto";
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import {
  readGatewayRecord,
  removeGatewayRecord,
  sweepGatewayRecords,
  writeGatewayRecord,
} from "../state/gateway-file.js";
import { ensurePrivateFolder } from "../state/private-folder.js";
import { statePaths } from "../state/state-paths.js";
import { temporaryFolder } from "./test-io.js";

const RECORD = { pid: 4_000_000, url: "http://127.0.0.1:1/mcp", version: "1.2.3", socket: "/run/s.sock" };

describe("state of a home", () => {
  test("R12: everything lives in <home>/mcp", () => {
    expect(statePaths({ CORTEX_HOME: "/srv/cortex" })).toEqual({
      folder: "/srv/cortex/mcp",
      registry: "/srv/cortex/mcp/servers.json",
      config: "/srv/cortex/mcp/config.json",
      serviceMap: "/srv/cortex/mcp/state/service-map.json",
      tokens: "/srv/cortex/mcp/state/oauth",
      catalog: "/srv/cortex/mcp/state/catalog",
      gatewayFile: "/srv/cortex/mcp/gateway.json",
      socket: "/srv/cortex/mcp/gateway.sock",
    });
  });

  test("a socket path of 100 bytes is used as it is; a longer one moves, to a place of its own for each home", () => {
    const homeOf = (bytes: number): string => `/${"é".repeat((bytes - "//mcp/gateway.sock".length) / 2)}`;
    const fits = statePaths({ CORTEX_HOME: homeOf(100) });
    expect(Buffer.byteLength(fits.socket)).toBe(100);
    const env = { CORTEX_HOME: homeOf(102), XDG_RUNTIME_DIR: "/run/user/7" };
    const moved = statePaths(env);
    expect(moved.socket).toMatch(/^\/run\/user\/7\/cortex-mcp\/[0-9a-f]{16}\.sock$/);
    expect(statePaths(env)).toEqual(moved);
    expect(statePaths({ ...env, CORTEX_HOME: homeOf(104) }).socket).not.toBe(moved.socket);
    const own = `cortex-mcp-${process.getuid?.() ?? "user"}`;
    expect(statePaths({ CORTEX_HOME: homeOf(102), XDG_RUNTIME_DIR: "relative" }).runtimeFolder).toBe(
      path.join(tmpdir(), own),
    );
  });

  test("the record is written whole and read back; a damaged one counts as none", async () => {
    const folder = await temporaryFolder();
    const file = path.join(folder, "gateway.json");
    expect(await readGatewayRecord(file)).toBeUndefined();
    await writeGatewayRecord(file, RECORD);
    expect(await readGatewayRecord(file)).toEqual(RECORD);
    expect(await readdir(folder)).toEqual(["gateway.json"]);
    for (const damaged of ["", "{", "{}", '{"pid":"1"}']) {
      await writeFile(file, damaged);
      expect(await readGatewayRecord(file)).toBeUndefined();
    }
  });

  test("a record that cannot be written leaves nothing half-done", async () => {
    const folder = await temporaryFolder();
    const file = path.join(folder, "gateway.json");
    await mkdir(file);
    await expect(writeGatewayRecord(file, RECORD)).rejects.toThrow(
      `cannot write ${file}: there is a folder in its place: move it away`,
    );
    expect(await readdir(folder)).toEqual(["gateway.json"]);
  });

  test("a record that may not be read is an error: nothing can be said about that home", async () => {
    const file = path.join(await temporaryFolder(), "gateway.json");
    await mkdir(file);
    await expect(readGatewayRecord(file)).rejects.toMatchObject({
      code: "USER_INPUT",
      message: `cannot read ${file}: there is a folder in its place: move it away`,
    });
    await expect(readGatewayRecord(path.join(process.execPath, "mcp", "gateway.json"))).rejects.toThrow(
      /gateway\.json: a part of its path is a file, not a folder: move that file away$/,
    );
  });

  test("only its own record is removed", async () => {
    const file = path.join(await temporaryFolder(), "gateway.json");
    await writeGatewayRecord(file, RECORD);
    await removeGatewayRecord(file);
    expect(await readGatewayRecord(file)).toEqual(RECORD);
    await writeGatewayRecord(file, { ...RECORD, pid: process.pid });
    await removeGatewayRecord(file);
    await expect(readFile(file)).rejects.toThrow("ENOENT");
    await removeGatewayRecord(file);
  });

  test("what was left half-written is swept away, and nothing else", async () => {
    const folder = await temporaryFolder();
    const kept = ["gateway.json", "gateway.json.tmp.mine", "servers.json.x.tmp"];
    for (const name of [...kept, `gateway.json.${randomUUID()}.tmp`]) await writeFile(path.join(folder, name), "");
    await sweepGatewayRecords(path.join(folder, "gateway.json"));
    expect((await readdir(folder)).toSorted()).toEqual(kept);
  });

  test("a private folder whose parent takes none is an error that says what to do", async () => {
    const gone = path.join(await temporaryFolder(), "gone", "cortex-mcp");
    await expect(ensurePrivateFolder(gone)).rejects.toMatchObject({
      code: "USER_INPUT",
      message: `cannot create the folder ${gone}: ENOENT: no such file or directory, mkdir '${gone}'; set XDG_RUNTIME_DIR to a folder of yours, or unset it`,
    });
  });

  test("a private folder is made, and one that is a link, a file or open to others is refused", async () => {
    const folder = await temporaryFolder();
    const mine = path.join(folder, "mine");
    await ensurePrivateFolder(mine);
    await ensurePrivateFolder(mine);
    await symlink(mine, path.join(folder, "link"));
    await expect(ensurePrivateFolder(path.join(folder, "link"))).rejects.toMatchObject({ code: "USER_INPUT" });
    await chmod(mine, 0o770);
    await expect(ensurePrivateFolder(mine)).rejects.toMatchObject({ code: "USER_INPUT" });
  });
});
