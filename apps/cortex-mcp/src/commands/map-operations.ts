import { registerMapAccept } from "./map-accept.js";
import { registerMapDiff } from "./map-diff.js";
import { registerMapPin } from "./map-pin.js";
import { registerMapRollback } from "./map-rollback.js";
import type { RegisterCommand } from "./command-context.js";

/** `map diff|accept|pin|rollback`: which service map a gateway serves. Goes below the command `map`. */
export const registerMapOperations: RegisterCommand = (map, context) => {
  for (const register of [registerMapDiff, registerMapAccept, registerMapPin, registerMapRollback])
    register(map, context);
};
