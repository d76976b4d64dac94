import { registerMapAccept } from "./map-accept.js";
import { registerMapDiff } from "./map-diff.js";
import { registerMapPin } from "./map-pin.js";
import { registerMapRefresh } from "./map-refresh.js";
import { registerMapRollback } from "./map-rollback.js";
import type { RegisterCommand } from "./command-context.js";

/** `map refresh|diff|accept|pin|rollback`: which service map a gateway serves. Goes below the command `map`. */
export const registerMapOperations: RegisterCommand = (map, context) => {
  const operations = [registerMapRefresh, registerMapDiff, registerMapAccept, registerMapPin, registerMapRollback];
  for (const register of operations) register(map, context);
};
