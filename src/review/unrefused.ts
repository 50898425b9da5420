import { decisionsIn, groupedBy, operationsOf } from './decisions.js';
import type { Rule } from './finding.js';

/** Somebody who never says no. The last decisions count, however long ago they were. */
export const unrefused: Rule = ({ records }, { unrefused: many }) =>
  [...groupedBy(decisionsIn(records), ({ approver }) => approver)].flatMap(([approver, all]) => {
    const last = all.slice(-many);
    if (last.length < many || last.some(({ decision }) => decision === 'deny')) return [];
    return {
      rule: 'never-refuses',
      severity: 'low',
      subject: approver,
      what: `the last ${last.length} decisions of ${approver} were all approvals`,
      evidence: operationsOf(last).slice(-20),
      controls: ['800-53:AC-3(2)', '800-53:AU-6'],
      next: 'send a request that has to be refused, as a drill',
    };
  });
