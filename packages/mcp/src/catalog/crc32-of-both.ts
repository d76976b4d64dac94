/** The polynomial of CRC-32 (RFC 1952), its bits in reverse. */
const POLYNOMIAL = 0xed_b8_83_20;
const ONE = 0x80_00_00_00;

/** The product of two polynomials over GF(2), modulo {@link POLYNOMIAL}. */
function product(a: number, b: number): number {
  let sum = 0;
  let shifted = b;
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) sum ^= shifted;
    shifted = (shifted & 1) === 0 ? shifted >>> 1 : (shifted >>> 1) ^ POLYNOMIAL;
  }
  return sum >>> 0;
}

/** What so many bytes behind it do to a checksum: x to the power of their bits. */
export function shiftOf(bytes: number): number {
  let shift = ONE;
  // x to the power of eight: one byte.
  let power = 0x00_80_00_00;
  for (let rest = bytes; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) shift = product(power, shift);
    power = product(power, power);
  }
  return shift;
}

/** The CRC-32 of bytes and those behind them, of which only the checksums are known, and {@link shiftOf} the second ones' length. */
export const crcOfBoth = (first: number, second: number, shift: number): number =>
  (product(shift, first) ^ second) >>> 0;
