/** Abuse of gates: what somebody sends straight to Temporal, who can write to its namespace. */
import type { Ballot, ProcessState } from '../domain/process.js';
import { ballotFor } from '../trust/ballot.js';
import type { Signer } from '../trust/statements.js';
import type { Drill, Finding } from './drill.js';
import {
  closeGate,
  decide,
  hasPassed,
  openGate,
  processWhen,
  signedRequest,
  send,
  stateOf,
  type Range,
} from './range.js';

/** Opens a gate, lets `attack` send something, and looks whether it counted. */
async function attackGate(
  range: Range,
  attack: (operation: string, state: ProcessState) => Promise<Ballot>,
): Promise<Finding> {
  const operation = await openGate(range);
  try {
    const before = await processWhen(range, operation, 'its gate is open', () => true);
    await decide(range, operation, await attack(operation, before));
    const after = await processWhen(range, operation, 'the decision was looked at', (state) => {
      const { gate } = state;
      const isAnotherRound = gate?.round !== before.gate?.round;
      const isWeighed = (gate?.refused.length ?? 0) > 0 || (gate?.votes.length ?? 0) > 0;
      return isAnotherRound || isWeighed || hasPassed(state);
    });
    const refused = after.gate?.refused.at(-1);
    const held = after.gate?.outcome === 'open' && after.gate.votes.length === 0 && refused !== undefined;
    return { held, proof: refused ? `${operation}: ${refused.reason}` : `${operation}: it was counted` };
  } finally {
    await closeGate(range, operation);
  }
}

const approvalBy =
  (signer: (range: Range) => Signer) =>
  (range: Range): Promise<Finding> =>
    attackGate(range, (operation, { gate }) => ballotFor(signer(range), 'approve', operation, gate!, 'a drill'));

export const gateDrills: readonly Drill[] = [
  {
    id: 'spoofed-approver',
    title: 'an approval in the name of somebody, signed with a key that is not theirs',
    run: approvalBy((range) => range.forger(range.approver.name)),
  },
  {
    id: 'own-approval',
    title: 'an approval by whoever asked',
    run: approvalBy(({ asker }) => asker),
  },
  {
    id: 'service-approves',
    title: 'an approval by a service account',
    needs: ['machine'],
    run: approvalBy(({ machine }) => machine!),
  },
  {
    id: 'replay',
    title: 'an approval that was signed for another gate, sent again',
    async run(range) {
      const earlier = await openGate(range);
      const { gate } = await processWhen(range, earlier, 'its gate is open', () => true);
      const ballot = await ballotFor(range.approver, 'approve', earlier, gate!, 'a drill');
      await closeGate(range, earlier);
      return attackGate(range, async () => ballot);
    },
  },
  {
    id: 'changed-plan',
    title: 'an approval of another plan than the one that waits',
    run: (range) =>
      attackGate(range, (operation, { gate }) =>
        ballotFor(
          range.approver,
          'approve',
          operation,
          { ...gate!, planDigest: `sha256:${'0'.repeat(64)}` },
          'a drill',
        ),
      ),
  },
  {
    id: 'unsigned-signal',
    title: 'a request and an approval without a signature, straight through Temporal',
    async run(range) {
      const { signed: _signed, ...unsigned } = await signedRequest(range, { kind: 'revoke', emergency: true });
      const answer = await send(range, unsigned);
      const { problems, running } = await stateOf(range);
      const isOnRecord = problems.some(({ what }) => what.includes('turned away'));
      if (answer.accepted || running || !isOnRecord)
        return { held: false, proof: `an unsigned emergency was ${answer.accepted ? 'taken' : 'not recorded'}` };
      const approver = range.approver.name;
      const word = JSON.stringify({ approver, decision: 'approve' });
      return attackGate(range, async () => ({ signed: { statement: word, signature: 'approve' } }));
    },
  },
  {
    id: 'stolen-key',
    title: 'an approval with a key that was taken out of the directory while the gate was open',
    needs: ['hand'],
    async run(range) {
      let restore = async (): Promise<void> => undefined;
      try {
        return await attackGate(range, async (operation, { gate }) => {
          const ballot = await ballotFor(range.approver, 'approve', operation, gate!, 'a drill');
          restore = await range.hand!.removeKey(range.approver);
          return ballot;
        });
      } finally {
        await restore();
      }
    },
  },
];
