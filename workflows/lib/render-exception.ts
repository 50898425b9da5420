import { controlInWords, type ExceptionState } from '../../src/domain/exception.js';
import { missingInWords } from '../../src/domain/quorum.js';
import { asText } from './as-text.js';

/** What the Temporal UI shows of an exception. Markdown. Never throws: what it was started with may be anything. */
export function renderException(state: ExceptionState): string {
  const { id, identity, phase, since, proposal, terms, gate, checks, end, inert } = state;
  const rules = (terms ?? proposal)?.rules;
  return [
    `**${id}** of ${identity}: **${phase}** since ${since}`,
    ...(end === undefined ? [] : [asText(end)]),
    ...(Array.isArray(rules) ? [`Rules: ${rules.map(asText).join(', ')}`] : []),
    ...(proposal ? [`Proposed, since ${asText(proposal.why)}; it can be signed until ${proposal.closes}`] : []),
    ...(terms ? [`Asked by ${asText(terms.by)}, until ${asText(terms.until)}: ${asText(terms.reason)}`] : []),
    ...(checks.length > 0 ? checks : plannedOf(state)).map(
      ({ control, holds, detail }) =>
        `- ${holds === undefined ? '?' : holds ? 'holds' : 'does not hold'}: ${asText(control)}${detail ? ` (${asText(detail)})` : ''}`,
    ),
    ...(gate && phase === 'gate' ? [`Approval: ${missingInWords(gate)}; \`tenure except approve ${id}\``] : []),
    ...(inert.length > 0
      ? [`${inert.length} message(s) had no effect, the last: ${asText(inert.at(-1)!.reason)}`]
      : []),
  ].join('\n\n');
}

interface Line {
  readonly control: string;
  readonly holds?: boolean;
  readonly detail?: string;
}

function plannedOf({ terms }: ExceptionState): Line[] {
  const controls: unknown = terms?.controls;
  if (!Array.isArray(controls)) return [];
  return terms!.controls.map((control) => ({ control: controlInWords(control) ?? 'something that is no control' }));
}
