import type { RegisterCommand } from "./command-context.js";
import { registerMapAccept } from "./map-accept.js";
import { registerMapDiff } from "./map-diff.js";
import { registerMapKeygen } from "./map-keygen.js";
import { registerMapPin } from "./map-pin.js";
import { registerMapRefresh } from "./map-refresh.js";
import { registerMapRollback } from "./map-rollback.js";
import { registerMapServe } from "./map-serve.js";
import { registerMapSign } from "./map-sign.js";
import { registerMapVerify } from "./map-verify.js";

const WORDS = [
  registerMapKeygen,
  registerMapSign,
  registerMapVerify,
  registerMapServe,
  registerMapRefresh,
  registerMapDiff,
  registerMapAccept,
  registerMapPin,
  registerMapRollback,
];

/** The words that may follow `map`. */
export const registerMapWords: RegisterCommand = (map, context) => {
  for (const register of WORDS) register(map, context);
};
