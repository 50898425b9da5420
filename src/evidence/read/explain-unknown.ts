/** What a record cannot tell. Said every time, so that nobody reads more into it than it holds. Pure. */
import type { ProcessRecord } from '../../domain/evidence.js';

/** The limits of every record, and then those of this one. */
export function unknownLines(record: ProcessRecord): string[] {
  return [
    ...ofRequest(record),
    ...ofPermit(record),
    ...ofGate(record),
    ...ofProofs(record),
    ...ofHistory(record),
    ...always,
  ];
}

const always: readonly string[] = [
  'Whether a key was held by the person whose name the directory gives to it.',
  'What was done to the target, or with the credential, outside of Tenure: only the target’s own log tells; see tenure attribute.',
  'Who used the credential, besides the sessions that were seen while waiting for it to fall out of use.',
  'What ran before the log began, and anything that no process of Tenure did.',
  'Whether the machine that ran the worker was sound: the record holds what the worker saw.',
];

function ofRequest({ requester }: ProcessRecord): string[] {
  return requester ? [] : ['Who really asked: no signature of the requester was verified.'];
}

function ofPermit({ permit, outcome, kind, plan }: ProcessRecord): string[] {
  const changes = outcome === 'succeeded' && (kind !== 'validate' || plan?.repair === true);
  return changes && permit === undefined
    ? ['Whether policy had permitted this very run: no permit for it was found.']
    : [];
}

function ofGate({ gate, request }: ProcessRecord): string[] {
  const approved = gate?.votes.some(({ decision }) => decision === 'approve') ?? false;
  if (approved) {
    return [
      'Whether those who approved read and understood what they signed: a signature shows what was signed, and with which key.',
    ];
  }
  return request.emergency ? ['Whether the emergency was one: nobody approved it beforehand.'] : [];
}

function ofProofs({ proofs, kind, outcome }: ProcessRecord): string[] {
  const ends = kind === 'rotate' || kind === 'revoke' || kind === 'offboard';
  const lacksRefusal = ends && outcome === 'succeeded' && (proofs.refused ?? []).length === 0;
  return [
    ...(lacksRefusal ? ['Whether the old credential is refused: the record holds no proof of it.'] : []),
    ...(proofs.drained && !proofs.drained.drained
      ? ['Whether what still used the old credential went on with the new one.']
      : []),
  ];
}

function ofHistory({ history }: ProcessRecord): string[] {
  return history
    ? []
    : ['Whether the workflow ran as its code says: no history is kept beside the record, so it cannot be replayed.'];
}
