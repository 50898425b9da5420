/** What was proven and what changed. Pure. */
import { count, instant } from '../../cli/words.js';
import { changesInWords } from '../../domain/plan-words.js';
import type { CredentialRecord, DrainProof, ElevationProof } from '../../domain/credential.js';
import type { ProcessRecord } from '../../domain/evidence.js';
import { span } from '../../domain/span.js';
import type { UseProof } from '../../domain/use.js';
import { ended } from './explain-gate.js';

/** The proofs, one sentence each, and in so many words that there is none. */
export function proofSentences({ proofs }: ProcessRecord): string[] {
  const { accepted, drained, retired } = proofs;
  const lines = [
    ...(accepted
      ? [
          `Accepted at ${instant(accepted.at)}: ${accepted.answer}${accepted.excess.length + accepted.missing.length === 0 ? ', with exactly the declared rights.' : '.'}`,
          ...accepted.excess.map((right) => `It may do more than declared: ${right}`),
          ...accepted.missing.map((right) => `It may do less than declared: ${right}`),
          ...(accepted.use ? useLines(accepted.use) : []),
        ]
      : []),
    ...(proofs.elevated ? elevationLines(proofs.elevated) : []),
    ...(proofs.acknowledged ?? []).map(({ consumer, status, detail }) => `Consumer ${consumer}: ${status} (${detail})`),
    ...(drained ? drainLines(drained) : []),
    ...(retired
      ? [
          `Disabled at ${instant(retired.at)}: ${retired.principals.join(', ') || 'nothing was left to disable'}; ${count(retired.sessionsEnded, 'session')} ended.`,
        ]
      : []),
    ...(proofs.refused ?? []).map(
      ({ principal, at, code, answer, control }) =>
        `Refused at ${instant(at)}: ${principal} with ${code} (${answer}), while ${control} was let in at the same moment.`,
    ),
    ...(proofs.drift ?? []).map(
      ({ problem, what, detail }) => `Different from what is declared (${problem} ${what}): ${detail}`,
    ),
    ...(proofs.gone ?? []).map((sentence) => `Gone: ${sentence}`),
  ];
  return lines.length > 0 ? lines : ['Nothing: the record holds no proof.'];
}

/** What the target itself has recorded of the use of these rights. */
function useLines(use: UseProof): string[] {
  if (!use.known) return [`Which of these rights are used is not known: ${use.why}${ended(use.why)}`];
  if (use.unused.length === 0)
    return ['By the target’s record of use, none of these rights has been unused for as long as policy asks.'];
  return use.unused.map(
    ({ right, since }) => `By the target’s record of use, nobody used this since ${instant(since)}: ${right}`,
  );
}

function elevationLines({ incident, from, until, granted, endedAt, endedBy, restored }: ElevationProof): string[] {
  return [
    `More rights were lent for ${incident} from ${instant(from)}, to end by themselves at ${instant(until)}.`,
    ...(granted ? [`With the lent rights at ${instant(granted.at)}: ${granted.answer}`] : []),
    ...(endedAt === undefined
      ? []
      : [`It ended at ${instant(endedAt)}: ${endedBy ?? 'the record does not say by what'}.`]),
    restored
      ? `With the declared rights alone at ${instant(restored.at)}: ${restored.answer}`
      : 'The record holds no proof that the lent rights are gone.',
  ];
}

function drainLines({ principal, drained, waitedMs, sessions, who, at }: DrainProof): string[] {
  const state = drained ? 'was out of use' : `was still used by ${count(sessions, 'session')}`;
  return [
    `${principal} ${state} at ${instant(at)}, after a wait of ${span(waitedMs)}.`,
    ...who.map((one) => `Seen using it: ${one}`),
  ];
}

/** What is different afterwards, by reference, and what was put right. */
export function changeLines(record: ProcessRecord): string[] {
  const { plan, after, proofs, kind, outcome } = record;
  if (kind === 'validate' && !plan?.repair) return ['Nothing: it only looked.'];
  const made = after.current?.version === record.operation ? after.current : undefined;
  const lines = [
    ...(made ? [madeLine(made)] : []),
    ...(made && plan?.to ? [`Its rights: ${JSON.stringify(plan.to.scope)}`] : []),
    ...(made && rightsChanged(record) ? [`The rights before: ${JSON.stringify(plan?.from?.scope)}`] : []),
    ...(plan && outcome === 'succeeded'
      ? changesInWords(plan, ['scope']).map((line) => `Declared otherwise: ${line}`)
      : []),
    ...(plan?.from && isGone(plan.from.version, after)
      ? [`Gone: ${plan.from.principal} at ${plan.from.target}, version ${plan.from.version}.`]
      : []),
    ...(after.previous ?? []).map(
      (one) => `Not yet proven dead: ${one.principal} at ${one.target}, version ${one.version}.`,
    ),
    ...(proofs.repaired ?? []).map((line) => `Put right: ${line}`),
  ];
  if (lines.length > 0) return lines;
  return [outcome === 'undone' ? 'Nothing: everything was put back.' : 'Nothing that the record names.'];
}

function madeLine({ principal, target, version, fingerprint, deliveries }: CredentialRecord): string {
  const places = deliveries.map(({ store, path }) => `${store}:${path}`).join(', ');
  return `New: ${principal} at ${target}, version ${version}, fingerprint ${fingerprint}, delivered to ${places || 'no store'}.`;
}

function rightsChanged({ plan }: ProcessRecord): boolean {
  return plan?.from !== undefined && JSON.stringify(plan.from.scope) !== JSON.stringify(plan.to?.scope);
}

function isGone(version: string, after: ProcessRecord['after']): boolean {
  return after.current?.version !== version && !(after.previous ?? []).some((one) => one.version === version);
}
