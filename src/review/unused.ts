import type { ProcessRecord } from '../domain/evidence.js';
import { groupedBy } from './decisions.js';
import type { Rule } from './finding.js';

/** Rights that were granted and not used, look after look. */
export const unusedEntitlements: Rule = ({ records, now }, { unused }) =>
  [
    ...groupedBy(
      records.filter(({ decision }) => decision?.facts),
      ({ identity }) => identity,
    ),
  ].flatMap(([identity, all]) => {
    const last = all.at(-1)!;
    const rights = last.decision!.facts!.unused.map((right) => ({ right, since: unusedSince(all, right) }));
    const long = rights.filter(({ since }) => now.getTime() - Date.parse(since.endedAt) >= unused.after);
    if (long.length === 0) return [];
    const oldest = Math.min(...long.map(({ since }) => Date.parse(since.endedAt)));
    return {
      rule: 'unused-entitlements',
      severity: now.getTime() - oldest >= unused.long ? 'medium' : 'low',
      subject: identity,
      what: `${identity} may do ${long.length} thing(s) that nobody saw it do since ${new Date(oldest).toISOString().slice(0, 10)}: ${long.map(({ right }) => right).join(', ')}`,
      evidence: [...new Set([...long.map(({ since }) => since.operation), last.operation])],
      controls: ['800-53:AC-6(7)', '800-53:AC-2(j)', 'OWASP-NHI:NHI5'],
      next: `take them out of the manifest of ${identity}: tenure plan`,
    };
  });

/** The first record since which every look found it unused. */
function unusedSince(all: readonly ProcessRecord[], right: string): ProcessRecord {
  let since = all.at(-1)!;
  for (const record of all.toReversed()) {
    if (!record.decision!.facts!.unused.includes(right)) break;
    since = record;
  }
  return since;
}
