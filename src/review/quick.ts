import { groupedBy, mostWithin, operationsOf, recentDecisions } from './decisions.js';
import type { Rule } from './finding.js';

const weekMs = 7 * 86_400_000;

/** Decisions within seconds of the opening of their gate. A fast expert is not a bad approver: one alone weighs little. */
export const quickDecisions: Rule = ({ records, now }, { period, quick }) => {
  const fast = recentDecisions(records, now, period).filter(
    ({ at, openedAt, decision }) => decision === 'approve' && at - openedAt < quick.under,
  );
  return [...groupedBy(fast, ({ approver }) => approver)].map(([approver, all]) => {
    const often = mostWithin(
      all.map(({ at }) => at),
      weekMs,
    );
    const quickest = Math.max(0, Math.min(...all.map(({ at, openedAt }) => at - openedAt)));
    return {
      rule: 'quick-decisions',
      severity: often >= quick.often ? 'medium' : 'low',
      subject: approver,
      what: `${approver} approved ${all.length} time(s) within ${quick.under / 1_000} s of the opening of the gate, the quickest after ${(quickest / 1_000).toFixed(1)} s`,
      evidence: operationsOf(all),
      controls: ['800-53:AC-3(2)', '800-53:AU-6'],
      next: `ask ${approver} what they look at before they sign`,
    };
  });
};
