import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clientSecret } from "../oauth/client-secret.js";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "cortex-secret-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe("the secret of a client that was registered by hand (R22)", () => {
  test("comes from the environment, or from a file without the line break that editors add, or there is none", async () => {
    const clientSecretFile = path.join(folder, "secret");
    await writeFile(clientSecretFile, " s3cret\n", { mode: 0o600 });
    expect(await clientSecret("docs", { clientSecretEnv: "DOCS_SECRET" }, { DOCS_SECRET: "s3cret" })).toBe("s3cret");
    expect(await clientSecret("docs", { clientSecretFile }, {})).toBe("s3cret");
    expect(await clientSecret("docs", {}, { DOCS_SECRET: "s3cret" })).toBeUndefined();
  });

  test.each([{}, { DOCS_SECRET: "" }])("that is not in the environment is asked for by its name: %j", async (env) => {
    await expect(clientSecret("docs", { clientSecretEnv: "DOCS_SECRET" }, env)).rejects.toMatchObject({
      code: "USER_INPUT",
      message: 'connector "docs" cannot be authorised: the environment variable DOCS_SECRET is not set',
    });
  });

  test("whose file cannot be read is said without the path", async () => {
    const clientSecretFile = path.join(folder, "none");
    const error: unknown = await clientSecret("docs", { clientSecretFile }, {}).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "USER_INPUT",
      message: 'connector "docs" cannot be authorised: its clientSecretFile cannot be read',
    });
    expect(String(error)).not.toContain(folder);
  });
});
