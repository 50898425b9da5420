/**
 * What a record can show about a control: each observation says of one record that the control operated, that it did not, or nothing.
 * Pure. "Operated" is all that is ever said: whether a control is good enough is for an assessor to judge.
 */
import type { ProcessRecord } from '../../domain/evidence.js';
import { approversOf } from './approvers.js';
import { failed, operated, type Seen } from './seen.js';

export interface Observation {
  /** How it was made, in OSCAL's words: read from a record, or tried out at the target. */
  readonly method: 'EXAMINE' | 'TEST';
  /** What it shows, as "evidence that …". */
  readonly that: string;
  readonly of: (record: ProcessRecord, all: readonly ProcessRecord[]) => Seen;
}

/** A validation that only looks asks policy and people for nothing. */
function asksPolicy({ kind, plan }: ProcessRecord): boolean {
  return kind !== 'validate' || plan?.repair === true;
}

/** Approvals in advance stood in for a gate. */
function isSpared({ decision }: ProcessRecord): boolean {
  return decision?.permitted === true && (decision.inAdvance?.spared.length ?? 0) > 0;
}

/** A process of this kind, by how it ended and whether what it must prove is there. */
function ran(kind: string, lacking: (record: ProcessRecord) => string | undefined): Observation['of'] {
  return (record) => {
    if (record.kind !== kind) return undefined;
    const { outcome, failure } = record;
    if (outcome !== 'succeeded') return failed(`${kind} ${outcome}${failure ? ` (${failure.code})` : ''}`);
    const lacks = lacking(record);
    return lacks === undefined ? operated(`${kind} succeeded, with proof`) : failed(`${kind} succeeded, but ${lacks}`);
  };
}

const acceptance = ({ proofs }: ProcessRecord): string | undefined =>
  proofs.accepted ? undefined : 'the record holds no proof that the credential is accepted';

const death = ({ proofs, plan, after }: ProcessRecord): string | undefined => {
  const isProven = (proofs.refused ?? []).length > 0 || (proofs.gone ?? []).length > 0;
  const hadOne = plan?.from !== undefined && after.current?.version !== plan.from.version;
  return isProven || !hadOne ? undefined : 'the record holds no proof that the old credential is refused';
};

/** All observations, by the name that the frameworks use. */
export const observations = {
  request: {
    method: 'EXAMINE',
    that: 'who asked is known by a verified signature',
    of: ({ requester, request }) =>
      requester ? operated(`${requester.name} asked, verified`) : failed(`${request.requester} is only claimed`),
  },
  decision: {
    method: 'EXAMINE',
    that: 'policy decided on the exact plan before it ran',
    of: (record) => {
      const { decision, outcome } = record;
      if (decision)
        return operated(`policy said ${decision.effect}, by ${decision.reasons.join(', ') || 'no named rule'}`);
      return asksPolicy(record) && outcome === 'succeeded' ? failed('it ran without a decision on record') : undefined;
    },
  },
  approval: {
    method: 'EXAMINE',
    that: 'people other than the requester approved where policy asked for it',
    of: (record) => {
      const { decision, gate, outcome, request } = record;
      const needed = decision?.obligations.approvals ?? gate?.needed ?? 0;
      const people = approversOf(record);
      if (gate?.outcome === 'denied' || gate?.outcome === 'expired') return operated(`the gate was ${gate.outcome}`);
      if (request.emergency) return undefined;
      if (needed === 0 && isSpared(record))
        return people.length > 0
          ? operated(`approved in advance by ${people.join(', ')}`)
          : failed('no approval in advance is on record');
      if (needed === 0) return undefined;
      if (people.length >= needed) return operated(`approved by ${people.join(', ')}`);
      return outcome === 'succeeded' ? failed(`${people.length} of ${needed} approvals are on record`) : undefined;
    },
  },
  separation: {
    method: 'EXAMINE',
    that: 'what may not count was refused: own approvals, replays, other plans, wrong groups',
    of: ({ gate, rounds, request }) => {
      const all = [...(rounds ?? []), ...(gate ? [gate] : [])];
      const own = all
        .flatMap(({ votes }) => votes)
        .some(({ approver, decision }) => decision === 'approve' && approver === request.requester);
      if (own) return failed(`${request.requester} asked for it and approved it`);
      const refused = all.flatMap((one) => one.refused);
      return refused.length > 0 ? operated(`${refused.length} refused at the gate: ${refused[0]!.reason}`) : undefined;
    },
  },
  stepUp: {
    method: 'EXAMINE',
    that: 'approvers proved presence with a security key where policy asked for it',
    of: ({ gate }) => {
      if (!gate?.stepUp || gate.outcome !== 'approved') return undefined;
      const weak = gate.votes.filter(({ decision, stepUp }) => decision === 'approve' && !stepUp);
      return weak.length === 0
        ? operated('every approval came from a security key')
        : failed(`${weak[0]!.approver} approved without one`);
    },
  },
  growth: {
    method: 'EXAMINE',
    that: 'rights beyond those approved last were shown to people and approved',
    of: (record) => {
      const growth = record.decision?.facts?.growth ?? [];
      if (growth.length === 0 || record.outcome !== 'succeeded') return undefined;
      return approversOf(record).length > 0
        ? operated(`approved: ${growth[0]}`)
        : failed(`nobody approved: ${growth[0]}`);
    },
  },
  leastPrivilege: {
    method: 'TEST',
    that: 'the rights that were read back are those that were approved',
    of: ({ proofs }) => {
      const excess = [
        ...(proofs.accepted?.excess ?? []),
        ...(proofs.drift ?? []).filter(({ problem }) => problem === 'excess').map(({ detail }) => detail),
      ];
      if (excess.length > 0) return failed(`more than declared: ${excess[0]}`);
      return proofs.accepted ? operated('exactly the declared rights') : undefined;
    },
  },
  recordedUse: {
    method: 'EXAMINE',
    that: 'which rights are used was read from the target’s own record',
    of: ({ proofs }) => {
      const use = proofs.accepted?.use;
      if (!use) return undefined;
      if (!use.known) return failed(`not known: ${use.why}`);
      const [first, ...more] = use.unused;
      if (!first) return operated('no right is unused');
      return operated(
        `not used since ${first.since}: ${first.right}${more.length > 0 ? `, and ${more.length} more` : ''}`,
      );
    },
  },
  provision: {
    method: 'TEST',
    that: 'an identity was given its first credential, which was tried',
    of: ran('provision', acceptance),
  },
  rotation: {
    method: 'TEST',
    that: 'a credential was replaced, the new one tried and the old one refused',
    of: ran('rotate', (record) => acceptance(record) ?? death(record)),
  },
  validation: {
    method: 'TEST',
    that: 'a credential and its rights were tried at the target',
    of: (record, all) => {
      const drift = record.proofs.drift ?? [];
      if (record.kind === 'validate' && drift.length > 0 && !record.plan?.repair)
        return failed(`it found ${drift[0]!.detail}`);
      return ran('validate', () => undefined)(record, all);
    },
  },
  revocation: { method: 'TEST', that: 'credentials were ended, and are refused', of: ran('revoke', death) },
  offboarding: {
    method: 'TEST',
    that: 'an identity was removed, and nothing answers to it',
    of: ran('offboard', death),
  },
  emergency: {
    method: 'TEST',
    that: 'an emergency was carried out at once and is on record',
    of: (record) => {
      if (!record.request.emergency) return undefined;
      const who = record.requester?.name ?? record.request.requester;
      return record.outcome === 'succeeded'
        ? operated(`${record.kind} asked by ${who}`)
        : failed(`${record.kind} ${record.outcome}`);
    },
  },
  elevation: {
    method: 'EXAMINE',
    that: 'more rights were given for a bounded time only',
    of: ({ request, proofs: { elevated }, outcome }) => {
      const incident = elevated?.incident ?? request.elevation?.incident;
      if (incident === undefined) return undefined;
      if (elevated?.endedAt !== undefined && elevated.restored)
        return operated(`for ${incident}, ended: ${elevated.endedBy}`);
      // Where nothing was lent, nothing had to end.
      return elevated || outcome !== 'undone' ? failed(`for ${incident}: its end is not proven`) : undefined;
    },
  },
  exception: {
    method: 'EXAMINE',
    that: 'a decision leaned on an exception that is on record',
    of: ({ decision }) => {
      const [first] = decision?.facts?.exceptions ?? [];
      return first === undefined ? undefined : operated(`exception ${first}`);
    },
  },
  ownIdentity: {
    method: 'EXAMINE',
    that: 'a credential belongs to one identity alone',
    of: ({ after, identity }, all) => {
      const mine = after.current;
      if (!mine) return undefined;
      const other = all.find(
        ({ identity: who, after: { current } }) =>
          who !== identity && current?.principal === mine.principal && current.target === mine.target,
      );
      return other
        ? failed(`${mine.principal} is used by ${other.identity} too`)
        : operated(`${mine.principal} is its own`);
    },
  },
  isolation: {
    method: 'EXAMINE',
    that: 'a target serves one environment alone',
    of: ({ plan, after }, all) => {
      const target = after.current?.target;
      if (target === undefined || !plan) return undefined;
      const other = all.find(
        (one) => one.after.current?.target === target && one.plan && one.plan.environment !== plan.environment,
      );
      return other
        ? failed(`${target} serves ${plan.environment} and ${other.plan!.environment}`)
        : operated(`${target} serves ${plan.environment} alone`);
    },
  },
  record: {
    method: 'EXAMINE',
    that: 'a process left a signed record: what, when, where, by whom and how it ended, with its history',
    of: ({ history }) => (history ? operated('sealed, with its history') : failed('its history is not kept beside it')),
  },
} as const satisfies Readonly<Record<string, Observation>>;

export type ObservationName = keyof typeof observations;
