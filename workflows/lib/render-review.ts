import type { Review, ReviewState } from '../../src/domain/elevation-review.js';
import { span } from '../../src/domain/span.js';
import { asText } from './as-text.js';

/** The current details of a review in the Temporal UI: Markdown, pure in the state. */
export function renderReview(state: ReviewState): string {
  const { identity, requester, elevation, reason, operation, outcome, evidence } = state;
  return [
    `**Rights lent to ${identity}** for ${span(elevation.forMs)}, asked by ${asText(requester)} for ${asText(elevation.incident)}: ${asText(reason)}`,
    ...renderStatus(state),
    '',
    '| | |',
    '|---|---|',
    `| elevation | \`${operation}\` ${outcome ?? (state.endedAt === undefined ? 'is under way' : 'was ended by hand')} |`,
    `| lent | ${asText(JSON.stringify(elevation.scope))} |`,
    `| record | ${evidence === undefined ? 'none yet' : `\`${evidence}\``} |`,
    ...section('Reviews', state.reviews.map(renderReviewed)),
    ...section('Remarks', state.remarks.map(asText)),
    ...section(
      'Sent without effect',
      state.refused.map(({ at, claimed, reason: why }) => `${at} as ${asText(claimed)}: ${asText(why)}`),
    ),
  ].join('\n');
}

function renderStatus({ status, due, people, reviews, operation }: ReviewState): string[] {
  if (status === 'standing by') return ['', 'Stands by: takes the rights back if the elevation does not.'];
  if (status === 'closed') return ['', reviews.length === 0 ? 'Nothing was lent.' : 'Reviewed.'];
  return [
    '',
    `**Review ${status}**: ${reviews.length} of ${people} other people, until ${due}`,
    '',
    `- \`tenure reviewed ${operation} --verdict justified --notes …\``,
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `**${title}**`, ...lines.map((line) => `- ${line}`)];
}

function renderReviewed({ at, reviewer, verdict, notes }: Review): string {
  return `${at} ${asText(reviewer)}: **${verdict}** ${asText(notes)}`;
}
