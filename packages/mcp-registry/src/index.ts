export * from "./fs-store.js";
export { acquireLock, type Lock, type LockOptions } from "./lock.js";
export * from "./memory-cache.js";
export * from "./paths.js";
export { livenessOf, ownIdentity, type Liveness, type ProcessIdentity } from "./process-identity.js";
export { readRegistry, type RegistryRead } from "./registry-disk.js";
export {
  entriesOf,
  parseRegistryFile,
  serialiseRegistryFile,
  setAsideOf,
  type ParsedRegistry,
  type RegistryDocument,
  type SetAsideEntry,
} from "./registry-file.js";
export * from "./watch.js";
