import { ASKING_OPERATIONS } from "./operations/asking-operations.js";
import { CALL_OPERATIONS } from "./operations/call-operations.js";
import { CHANGE_OPERATIONS } from "./operations/change-operations.js";
import { PROMPT_OPERATIONS } from "./operations/prompt-operations.js";
import { RESOURCE_OPERATIONS } from "./operations/resource-operations.js";
import { TOOL_OPERATIONS } from "./operations/tool-operations.js";
import type { Operation } from "./operation.js";

/** What a client may want of a connector, in the order of the document. */
export const MATRIX_OPERATIONS: readonly Operation[] = [
  ...TOOL_OPERATIONS,
  ...RESOURCE_OPERATIONS,
  ...PROMPT_OPERATIONS,
  ...CALL_OPERATIONS,
  ...ASKING_OPERATIONS,
  ...CHANGE_OPERATIONS,
];
