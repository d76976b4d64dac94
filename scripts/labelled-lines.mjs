/**
 * Puts `label` in front of every line of what comes in pieces, so that the lines of several programs can be told apart
 * where they meet. A line is written when it is whole; what has no end yet when the pieces end gets one.
 *
 * @param {string} label
 * @param {(text: string) => void} write
 */
export function labelledLines(label, write) {
  let begun = "";
  return {
    /** @param {string} text */
    push(text) {
      const lines = `${begun}${text}`.split("\n");
      begun = lines.pop() ?? "";
      if (lines.length > 0) write(lines.map((line) => `${label} ${line}\n`).join(""));
    },
    end() {
      if (begun !== "") write(`${label} ${begun}\n`);
      begun = "";
    },
  };
}
