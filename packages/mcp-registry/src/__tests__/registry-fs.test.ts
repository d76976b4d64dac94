import { chmodSync } from "node:fs";
import { expect, test } from "vitest";
import { nodeFs } from "../fs/node-fs.js";
import { SimDisk } from "../testing/index.js";
import { describeRegistryFs } from "./registry-fs-contract.js";
import { useTempFolder } from "./temp-folder.js";

const folder = useTempFolder();

describeRegistryFs("the machine's file system", () => ({ fs: nodeFs, folder: folder.at() }));
describeRegistryFs("the simulated disk", () => {
  const fs = new SimDisk().mount();
  fs.makeFolder("/home");
  return { fs, folder: "/home" };
});

test("the machine's file system takes everybody else's permissions away", () => {
  const fd = nodeFs.open(folder.at("a"), "create");
  chmodSync(folder.at("a"), 0o666);
  nodeFs.restrict(fd);
  nodeFs.close(fd);
  expect(nodeFs.stat(folder.at("a")).mode).toBe(0o600);
});

test("what is neither file, folder nor link is told apart", () => {
  expect(nodeFs.stat("/dev/null").kind).toBe("other");
});
