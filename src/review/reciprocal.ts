import { isApproval, operationsOf, recentDecisions } from './decisions.js';
import type { Rule } from './finding.js';

/** Two people approve what the other asks for. */
export const reciprocal: Rule = ({ records, now }, { period, reciprocal: least }) => {
  const approvals = recentDecisions(records, now, period).filter(isApproval);
  const from = (approver: string, requester: string) =>
    approvals.filter((one) => one.approver === approver && one.requester === requester);
  const people = [...new Set(approvals.map(({ approver }) => approver))].toSorted();
  return people.flatMap((one, index) =>
    people.slice(index + 1).flatMap((other) => {
      const [there, back] = [from(one, other), from(other, one)];
      if (there.length < least || back.length < least) return [];
      return {
        rule: 'reciprocal',
        severity: 'high' as const,
        subject: `${one}, ${other}`,
        what: `${one} approved ${there.length} request(s) of ${other}, who approved ${back.length} of theirs`,
        evidence: operationsOf([...there, ...back]),
        controls: ['800-53:AC-5', 'CSF2:PR.AA-05'],
        next: 'have somebody else look at these, and let a third person decide for both',
      };
    }),
  );
};
