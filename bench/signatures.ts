/** How long it takes to verify one signed decision: canonical form, time, whose key, and the Ed25519 signature over it. */
import { decisionSigned } from '../src/trust/statements.js';
import { verifySigned } from '../src/trust/verify.js';
import { measure, type Measured } from './load.js';
import { approver, directory } from './people.js';

export async function measureVerification(times = 2_000): Promise<Measured> {
  const digest = `sha256:${'0'.repeat(64)}`;
  const bound = { operation: 'nhi/bench/rotate/1', run: 'r', round: crypto.randomUUID() };
  const signed = await decisionSigned(
    { ...bound, plan: digest, policy: digest, evidence: digest, requester: 'a', decision: 'approve', reason: '' },
    approver,
  );
  const verify = (): Promise<unknown> =>
    verifySigned(signed, { typ: 'tenure/decision@v1', directory, now: new Date() });
  await measure(Array.from({ length: times / 10 }), 1, verify);
  return measure(Array.from({ length: times }), 1, verify);
}
