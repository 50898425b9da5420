import { groupedBy, mostWithin, operationsOf } from './decisions.js';
import type { Rule } from './finding.js';

/** What is lent again and again is standing access. */
export const frequentElevations: Rule = ({ records }, { elevations }) => {
  const lent = records.filter(({ kind, proofs }) => kind === 'elevate' && proofs.elevated !== undefined);
  return [...groupedBy(lent, ({ identity }) => identity)].flatMap(([identity, all]) => {
    const times = all.map(({ startedAt }) => Date.parse(startedAt)).toSorted((a, b) => a - b);
    const most = mostWithin(times, elevations.within);
    if (most <= elevations.most) return [];
    return {
      rule: 'frequent-elevations',
      severity: 'medium',
      subject: identity,
      what: `rights were lent to ${identity} ${most} times within ${elevations.within / 86_400_000} d`,
      evidence: operationsOf(all),
      controls: ['800-53:AC-2(2)', '800-53:AC-6(9)', 'OWASP-NHI:NHI5'],
      next: 'make it a path of its own, with the rights that it needs and no more',
    };
  });
};
