/** The order of UTF-16 code units, which no locale changes: every replica sorts alike. */
export const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
