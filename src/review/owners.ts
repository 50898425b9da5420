import { partyNamed, type Directory } from '../domain/directory.js';
import type { Finding, Rule, Severity } from './finding.js';

/** Identities and automations for which nobody answers, or soon nobody will. */
export const ownersLeft: Rule = ({ identities, directory, now }, { leaving }) => {
  const living = identities.filter(({ status }) => status !== 'offboarded');
  const automations = directory.parties.filter(({ kind }) => kind !== 'person');
  return [
    ...living.map(({ name, owner }) => ({ name, owner, what: 'the identity' })),
    ...automations.map(({ name, owner = '' }) => ({ name, owner, what: 'the automation' })),
  ].flatMap(({ name, owner, what }) => {
    const found = whyNotThere(directory, owner, now, leaving);
    return found ? [findingOf(`${what} ${name}`, name, owner, found)] : [];
  });
};

/** Why somebody does not answer for anything, or soon will not; undefined where they do. */
export function whyNotThere(
  directory: Directory,
  owner: string,
  now: Date,
  leavingMs: number,
): { readonly severity: Severity; readonly why: string } | undefined {
  const party = partyNamed(directory, owner);
  if (!party) return { severity: 'high', why: 'is not in the directory' };
  if (party.kind !== 'person') return { severity: 'high', why: `is no person (${party.kind})` };
  if (party.from !== undefined && now.getTime() < Date.parse(party.from))
    return { severity: 'medium', why: `is in the directory from ${party.from} on` };
  if (party.to === undefined) return undefined;
  const leftMs = Date.parse(party.to) - now.getTime();
  if (leftMs <= 0) return { severity: 'high', why: `left on ${party.to.slice(0, 10)}` };
  return leftMs <= leavingMs ? { severity: 'medium', why: `leaves on ${party.to.slice(0, 10)}` } : undefined;
}

function findingOf(
  what: string,
  name: string,
  owner: string,
  { severity, why }: { readonly severity: Severity; readonly why: string },
): Finding {
  return {
    rule: 'owner-left',
    severity,
    subject: name,
    what: `${owner || 'nobody'}, who answers for ${what}, ${why}`,
    evidence: [],
    controls: ['800-53:AC-2(3)', '800-53:PS-4', 'OWASP-NHI:NHI1', 'CSF2:PR.AA-05'],
    next: `tenure owners departed ${owner}`,
  };
}
