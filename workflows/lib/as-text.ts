import { inOneLine } from '../../src/domain/clip.js';

/** Text of others in Markdown, which is to be read as it is: no line, no link and no picture of theirs. */
export function asText(text: string): string {
  // What came by a signal may be something else than it should.
  return inOneLine(`${text}`).replaceAll(/[\\`*_[\]<>|]/g, '\\$&');
}
