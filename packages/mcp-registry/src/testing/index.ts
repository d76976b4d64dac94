export { SimDisk } from "./sim-disk.js";
export { ProcessKilled } from "./sim-error.js";
export { SimMount, type SimCall, type SimFault, type SimMountOptions } from "./sim-mount.js";
export type { SimFate, SimOp } from "./sim-op.js";
