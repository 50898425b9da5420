import { groupedBy, isApproval, operationsOf, recentDecisions } from './decisions.js';
import type { Rule } from './finding.js';

/** The same person approves what the same one asks for, again and again. */
export const samePair: Rule = ({ records, now }, { period, pair }) => {
  const approvals = recentDecisions(records, now, period).filter(isApproval);
  return [...groupedBy(approvals, ({ requester }) => requester)].flatMap(([requester, ofRequester]) =>
    [...groupedBy(ofRequester, ({ approver }) => approver)].flatMap(([approver, both]) => {
      const share = both.length / ofRequester.length;
      const isOften = both.length >= pair.approvals;
      const isMost = both.length >= pair.least && share > pair.share;
      if (!isOften && !isMost) return [];
      return {
        rule: 'same-pair',
        severity: isOften && share > pair.share ? 'medium' : 'low',
        subject: `${requester}, ${approver}`,
        what: `${approver} gave ${both.length} of the ${ofRequester.length} approvals that ${requester} got`,
        evidence: operationsOf(both),
        controls: ['800-53:AC-5', 'CSF2:PR.AA-05'],
        next: 'let other people of the group decide for a while, or look at these together',
      };
    }),
  );
};
