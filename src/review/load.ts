import { groupedBy, mostWithin, operationsOf, recentDecisions } from './decisions.js';
import type { Rule } from './finding.js';

const dayMs = 86_400_000;

/** More decisions than one person can look at. */
export const approverLoad: Rule = ({ records, now }, { period, load }) =>
  [...groupedBy(recentDecisions(records, now, period), ({ approver }) => approver)].flatMap(([approver, all]) => {
    const times = all.map(({ at }) => at);
    const [day, burst] = [mostWithin(times, dayMs), mostWithin(times, load.within)];
    if (day <= load.day && burst <= load.burst) return [];
    return {
      rule: 'approver-load',
      severity: day > load.day ? 'medium' : 'low',
      subject: approver,
      what: `${approver} decided up to ${day} times in a day and ${burst} times within ${load.within / 60_000} min`,
      evidence: operationsOf(all),
      controls: ['800-53:AC-3(2)', '800-53:AU-6'],
      next: 'put more people into the group that decides',
    };
  });
