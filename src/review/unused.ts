import type { ProcessRecord } from '../domain/evidence.js';
import type { UnusedRight } from '../domain/use.js';
import { groupedBy } from './decisions.js';
import type { Rule } from './finding.js';

/** Rights that were granted and not used, look after look. */
export const unusedEntitlements: Rule = ({ records, now }, { unused }) =>
  [...groupedBy(records.flatMap(lookIn), ({ identity }) => identity)].flatMap(([identity, looks]) => {
    const last = looks.at(-1)!;
    const rights = last.unused.map(({ right }) => unusedSince(looks, right));
    const long = rights.filter(({ since }) => now.getTime() - Date.parse(since) >= unused.after);
    if (long.length === 0) return [];
    const oldest = Math.min(...long.map(({ since }) => Date.parse(since)));
    return {
      rule: 'unused-entitlements',
      severity: now.getTime() - oldest >= unused.long ? 'medium' : 'low',
      subject: identity,
      what: `${identity} may do ${long.length} thing(s) that nobody saw it do since ${new Date(oldest).toISOString().slice(0, 10)}: ${long.map(({ right }) => right).join(', ')}`,
      evidence: [...new Set([...long.map(({ operation }) => operation), last.operation])],
      controls: ['800-53:AC-6(7)', '800-53:AC-2(j)', 'OWASP-NHI:NHI5'],
      next: `take them out of the manifest of ${identity}: tenure plan`,
    };
  });

/** What one process found out about use. */
interface Look extends Pick<ProcessRecord, 'identity' | 'operation'> {
  readonly unused: readonly UnusedRight[];
}

/** A credential that was verified, or a gate; nothing else looks at use. What is not known may have been used. */
function lookIn({ identity, operation, endedAt, proofs, decision, gate }: ProcessRecord): Look[] {
  const use = proofs.accepted?.use;
  if (use) return [{ identity, operation, unused: use.known ? use.unused : [] }];
  const unused = gate && decision?.facts?.unused;
  return unused ? [{ identity, operation, unused: unused.map((right) => ({ right, since: endedAt })) }] : [];
}

/** From when on every look found it unused, and which look was the first of them. */
function unusedSince(looks: readonly Look[], right: string): UnusedRight & { readonly operation: string } {
  const used = looks.findLastIndex(({ unused }) => !unused.some((one) => one.right === right));
  const all = looks
    .slice(used + 1)
    .flatMap(({ operation, unused }) =>
      unused.filter((one) => one.right === right).map(({ since }) => ({ right, since, operation })),
    );
  return all.reduce((first, one) => (one.since < first.since ? one : first));
}
