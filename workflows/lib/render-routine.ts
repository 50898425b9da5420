import type { ReviewOutcome } from '../../src/domain/routine-review.js';
import { asText } from './as-text.js';

/** The current details of a routine review in the Temporal UI: Markdown. What it found has names and reasons of others in it. */
export function renderRoutine({ counts: { high, medium, low }, lines, more }: ReviewOutcome): string {
  const all = lines.map(({ severity, text }) => `- **${severity}** ${asText(text)}`);
  return [
    `${high} high, ${medium} medium, ${low} low`,
    ...all,
    ...(more > 0 ? [`and ${more} more: tenure review`] : []),
  ].join('\n');
}
