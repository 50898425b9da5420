/** Keeps what is recorded small: a history takes 2 MB at a time, and a person reads the first lines. Pure. */

/** Entries of a list that are recorded; what is left out is counted. */
export const longestList = 50;
/** Characters of a message that is recorded. */
export const longestMessage = 2_000;
const longestEntry = 400;

/** The text, or its beginning with an ellipsis: at most `max` characters, and never half of one. */
export function clip(text: string, max = longestMessage): string {
  if (text.length <= max) return text;
  return `${text.slice(0, max - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/**
 * The text in one line, of characters that are seen: neither a line more nor what a terminal obeys, nor what turns the order of letters
 * around. Whoever asks chooses the reason, and must not choose what stands beside it for those who sign.
 */
export function inOneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ');
}

/** The first lines of a list, each clipped, and how many more there are. */
export function clipLines(lines: readonly string[], max = longestList): string[] {
  return clipList(lines, (left) => `and ${left} more`, max).map((line) => clip(line, longestEntry));
}

/** The first entries of a list; the last one stands for what is left out. */
export function clipList<T>(entries: readonly T[], rest: (left: number) => T, max = longestList): T[] {
  if (entries.length <= max) return [...entries];
  return [...entries.slice(0, max), rest(entries.length - max)];
}

/** Bytes of a text in UTF-8. */
export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
