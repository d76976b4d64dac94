/** Whether a value is a whole number from 0 that arithmetic keeps exact. */
export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
