import { groupedBy, operationsOf } from './decisions.js';
import type { Rule } from './finding.js';

/** One identity grows in small steps, each of which was approved by itself. */
export const splitGrowth: Rule = ({ records, now }, { growth }) => {
  const from = now.getTime() - growth.period;
  const steps = records.filter(
    ({ endedAt, outcome, decision }) =>
      outcome === 'succeeded' && Date.parse(endedAt) >= from && (decision?.facts?.growth.length ?? 0) > 0,
  );
  return [...groupedBy(steps, ({ identity }) => identity)].flatMap(([identity, all]) => {
    // The first credential of an identity is no growth of anything.
    const grown = all.filter(({ decision }) => decision!.facts!.lastApproved !== undefined);
    if (grown.length < growth.steps) return [];
    const rights = [...new Set(grown.flatMap(({ decision }) => decision!.facts!.growth))].toSorted();
    return {
      rule: 'split-growth',
      severity: 'high',
      subject: identity,
      what: `${identity} grew in ${grown.length} steps since ${grown[0]!.endedAt.slice(0, 10)}: ${inShort(rights)}`,
      evidence: operationsOf(grown),
      controls: ['800-53:AC-6(7)', 'CSF2:PR.AA-05', 'OWASP-NHI:NHI5'],
      next: `look at everything that ${identity} may do together: tenure show ${identity}`,
    };
  });
};

function inShort(rights: readonly string[]): string {
  const left = rights.length - mostNamed;
  return [...rights.slice(0, mostNamed), ...(left > 0 ? [`and ${left} more`] : [])].join(', ');
}

const mostNamed = 5;
