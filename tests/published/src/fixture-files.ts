import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

/** What each server finds in its own folder, by the path in it. Small, and of as many kinds as the servers read. */
const FIXTURE_FILES: Readonly<Record<string, string | Uint8Array>> = {
  "note.txt": "Hello from a file.\n",
  "page.drawio":
    '<mxfile><diagram id="road" name="The road"><mxGraphModel><root><mxCell id="0"/></root></mxGraphModel></diagram></mxfile>\n',
  "page.pdf": [
    "%PDF-1.4",
    "1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj",
    "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj",
    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj",
    "trailer<</Root 1 0 R>>",
    "%%EOF\n",
  ].join("\n"),
  "book.xlsx": Buffer.from(answersWorkbook().join(""), "base64"),
  "memory.jsonl": `${JSON.stringify({
    type: "entity",
    name: "gateway",
    entityType: "program",
    observations: ["speaks both eras"],
  })}\n`,
  "bank/tea/green.md": "Green tea wants 80 degrees.\n",
  "schema.graphql": "type Query { book(id: ID!): Book }\ntype Book { id: ID! title: String }\n",
  "pets.json": JSON.stringify({
    openapi: "3.0.0",
    info: { title: "Pets", version: "1" },
    paths: {
      "/pets": { get: { operationId: "listPets", summary: "All pets", responses: { 200: { description: "ok" } } } },
    },
  }),
  "package.json": JSON.stringify({ name: "sample", version: "1.0.0", type: "module", main: "index.js" }),
  "index.js": "export const answer = 42;\n",
  "orphan.js": "const unused = 1;\n",
  "eslint.config.js": 'export default [{ rules: { "no-unused-vars": "error" } }];\n',
  // As much of a repository as git asks for.
  ".git/HEAD": "ref: refs/heads/main\n",
  ".git/objects/.keep": "",
  ".git/refs/heads/.keep": "",
};

/** Makes `folder` with the fixture files in it. */
export async function writeFixtureFiles(folder: string): Promise<void> {
  for (const [name, content] of Object.entries(FIXTURE_FILES)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}

/** A workbook in Base64 whose only sheet, Answers, holds 19, 23 and 42 in A1 to C1. */
function answersWorkbook(): readonly string[] {
  return [
    "UEsDBBQAAAAIAAAAIQC5Fh4k0AAAAL4BAAATAAAAW0NvbnRlbnRfVHlwZXNdLnhtbK2Ru27DMAxFf8XQWkRMM2QobC9t16ZDfoCV6ViwXhCZ1Pn7yOpj6NQC",
    "nQiJh/cQYHu8JuJm8S5wpyaR9ADAZiKPrGOiUDpjzB6lPPMJEpoZTwS77XYPJgahIBtZM1TfPtGIZyfN81K+2cbQqUyOVfP4Aa6uTmFKzhqU0odLGH5YNp8G",
    "XSYrw5NNfFcABX17uFDOdqDmFbO8oC9xsDh4j3l+i3HWK/YnWxxHa2iI5uzLiOaUCQeeiMQ7Xav2aMMv/BVmqOX+nxf5zv/aA+rZ+htQSwMEFAAAAAgAAAAh",
    "AH8RKBaIAAAA7gAAAAsAAABfcmVscy8ucmVsc43PPQ4CIRAF4KtsOMDOamFhgMrG1ngBxOEn/AwBjOvtpVyNheXkvXwvwy8YVfeUm/OlTWuKuQnmei9HgKYd",
    "JtVmKphHYqgm1cdZLRSlg7II+2U5QN0aTPKtOZ3vgtUdm66vgv/IZIzXeCL9SJj7j4GvxpBVtdgFWyM8qYYbUZgHykBy+HhPvgFQSwMEFAAAAAgAAAAhAOTW",
    "Go2RAAAA4wAAAA8AAAB4bC93b3JrYm9vay54bWyNj0EOgkAMRa8y6QEsunBBgMTEjccYoTgT6HTSjsHjS0D2rtr/f/p+2iyi01Nkch+ek7UQSsk1ovWB2NtJ",
    "MqU1GUXZl1XqCy0r+cECUeEZL1V1RfYxwU6o9R+GjGPs6S79mymVHaI0+xIlWYjZoGu2BvtNlzxTC7dkC6mB28zH0MIZnNZxXfQM2DV4XOHxWPcFUEsDBBQA",
    "AAAIAAAAIQBKSXFVjAAAAO8AAAAaAAAAeGwvX3JlbHMvd29ya2Jvb2sueG1sLnJlbHONzzsOwjAMBuCrRDlA3TIwoDQTCyviAlFwHmrzUGwE3J6IARWJgcny",
    "b+n7ZXXG1XAsmUKsJB5pzTTLwFwPAGQDJkNDqZj7xZWWDPe1eajGLsYj7MZxD21rSK22pjhdZ9kmKS7Piv/Ixblo8VjsLWHmHwVwL22hgMgdNc0jz/ITEbzH",
    "NHRVglbw9Z9+AVBLAwQUAAAACAAAACEAvE1UlpQAAADeAAAAGAAAAHhsL3dvcmtzaGVldHMvc2hlZXQxLnhtbFWPfQqDMAzFryI9wGLdGExqwbmLlBpXmf0g",
    "Lbrjr+qQ7Z/w8svLCxGLp1c0iKl428nFhpmUQg0QtUGr4skHdHkyeLIq5ZaeEAOh6rclO0FVllewanRMin606OLoXUE4NKzldccZSLF5HyopKcgvBTWMZ7de",
    "RbuqWfKbgFkK0F9833F1/sfdji/VgSEH5vpzAY6X5AdQSwECFAMUAAAACAAAACEAuRYeJNAAAAC+AQAAEwAAAAAAAAAAAAAAgAEAAAAAW0NvbnRlbnRfVHlw",
    "ZXNdLnhtbFBLAQIUAxQAAAAIAAAAIQB/ESgWiAAAAO4AAAALAAAAAAAAAAAAAACAAQEBAABfcmVscy8ucmVsc1BLAQIUAxQAAAAIAAAAIQDk1hqNkQAAAOMA",
    "AAAPAAAAAAAAAAAAAACAAbIBAAB4bC93b3JrYm9vay54bWxQSwECFAMUAAAACAAAACEASklxVYwAAADvAAAAGgAAAAAAAAAAAAAAgAFwAgAAeGwvX3JlbHMv",
    "d29ya2Jvb2sueG1sLnJlbHNQSwECFAMUAAAACAAAACEAvE1UlpQAAADeAAAAGAAAAAAAAAAAAAAAgAE0AwAAeGwvd29ya3NoZWV0cy9zaGVldDEueG1sUEsF",
    "BgAAAAAFAAUARQEAAP4DAAAAAA==",
  ];
}
