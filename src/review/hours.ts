import { dayOf, parseWindows, windowsOfDay, type Windows } from '../schedule/window.js';
import { groupedBy, isApproval, operationsOf, recentDecisions } from './decisions.js';
import type { Rule } from './finding.js';

/** Approvals at times at which nobody is expected to give any. */
export const outsideHours: Rule = ({ records, now }, { period, hours }) => {
  const windows = hours === undefined ? undefined : parseWindows(hours);
  if (!windows || 'problem' in windows) return [];
  const late = recentDecisions(records, now, period).filter((one) => isApproval(one) && !isWithin(windows, one.at));
  return [...groupedBy(late, ({ approver }) => approver)].map(([approver, all]) => ({
    rule: 'outside-hours',
    severity: 'low',
    subject: approver,
    what: `${approver} approved ${all.length} time(s) outside ${hours}`,
    evidence: operationsOf(all),
    controls: ['800-53:AC-2(12)', '800-53:AU-6'],
    next: `ask ${approver} whether that was them`,
  }));
};

/** A window that opened the day before may still be open. */
function isWithin(windows: Windows, at: number): boolean {
  const day = dayOf(windows.zone, at);
  return [day - 1, day].flatMap((one) => windowsOfDay(windows, one)).some(({ from, to }) => from <= at && at < to);
}
