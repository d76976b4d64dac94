const SHORT_INTEGER = /^-?\d{1,15}$/;

/**
 * Whether a JSON number still says the same after it was read as a double and written in its canonical form (RFC 8785, 3.2.2.3).
 *
 * `0.1`, `1.50`, `1E3` and `-0` do. `9007199254740993` (2⁵³ + 1), `0.1000000000000000055`, `1e400` and `1e-400` do not: a reader with longer
 * numbers would take another map from the same signature.
 */
export function survivesReading(text: string): boolean {
  if (SHORT_INTEGER.test(text)) return true;
  const value = Number(text);
  if (!Number.isFinite(value)) return false;
  const canonical = String(value);
  return canonical === text || decimalOf(canonical) === decimalOf(text);
}

const ZERO = 0x30;

/** The decimal that a number's text says, without its sign: significant digits and a power of ten, the same for all ways to write it. */
function decimalOf(text: string): string {
  const [mantissa = "", power = "0"] = unsigned(text).split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  const digits = whole + fraction;
  // By hand: the pattern `0+$` takes quadratic time on digits that somebody chose for it.
  let start = 0;
  while (digits.charCodeAt(start) === ZERO) start += 1;
  let end = digits.length;
  while (end > start && digits.charCodeAt(end - 1) === ZERO) end -= 1;
  if (start === end) return "0";
  return `${digits.slice(start, end)}e${Number(power) - fraction.length + digits.length - end}`;
}

const unsigned = (text: string): string => (text.startsWith("-") ? text.slice(1) : text).toLowerCase();
