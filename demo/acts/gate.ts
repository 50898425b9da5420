import { asker, approver, forger } from '../people.js';
import { ballotFor } from '../../src/trust/ballot.js';
import { identity, type Scene } from '../scene.js';

/** Within act 1, while the gate is open: what does not count, though it is sent straight to Temporal. */
export async function tryTheGate(scene: Scene, operation: string): Promise<void> {
  const { claims, facts, tenure, terminal } = scene.props;
  await tenure.run('approve', identity, '--as', asker, '--yes', '--no-wait', '--reason', 'my own request');
  const own = await facts.processWhen(
    operation,
    'the own approval is looked at',
    ({ gate }) => gate!.refused.length > 0,
  );
  claims.check(
    'nobody approves their own request',
    own.gate?.outcome === 'open' && own.gate.votes.length === 0 && /own request/.test(own.gate.refused[0]!.reason),
    own.gate?.refused[0]?.reason ?? 'nothing was refused',
    'refused, with the reason on record',
  );
  terminal.tell(
    `somebody who can write to Temporal sends an approval in the name of ${approver}, signed with another key`,
  );
  await facts.decide(operation, await ballotFor(forger(approver), 'approve', operation, own.gate!, 'trust me'));
  const forged = await facts.processWhen(operation, 'the forgery is looked at', ({ gate }) => gate!.refused.length > 1);
  const roles = await scene.roles();
  claims.check(
    'a forged approval is inert, and on record',
    forged.gate?.outcome === 'open' && forged.gate.votes.length === 0 && roles.length === 0,
    `${forged.gate?.refused[1]?.reason ?? 'nothing was refused'}; ${roles.length} roles made`,
    'no vote, no role, and a reason',
  );
}
