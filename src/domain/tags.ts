/**
 * What Temporal holds of an identity for searching. It refuses a value of more than 2,048 bytes and ends the workflow that sent it;
 * SQL visibility keeps 255 characters of a keyword.
 */
import { bytesOf, clip } from './clip.js';

export const mostTags = 20;
/** Bytes of all tags together, as they are sent: what remains of 2,048 is for the team, the policy and an emergency. */
export const longestTags = 1_200;
const longestList = 2_000;
const longestKeyword = 255;

/** The size of the tags as they are sent. */
export function bytesOfTags(tags: Readonly<Record<string, string>>): number {
  return listBytes(Object.entries(tags).map(([key, value]) => `${key}:${value}`));
}

/** A text as a keyword that every visibility store takes. */
export function keyword(text: string): string {
  return clip(text, longestKeyword);
}

/** As many keywords, from the first, as one attribute holds. */
export function keywordList(texts: readonly string[]): string[] {
  const kept: string[] = [];
  for (const text of texts.map(keyword)) if (listBytes([...kept, text]) <= longestList) kept.push(text);
  return kept;
}

function listBytes(texts: readonly string[]): number {
  return bytesOf(JSON.stringify(texts));
}
