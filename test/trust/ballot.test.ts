import { expect, test } from 'vitest';
import { ballotFor } from '../../src/trust/ballot.js';
import { delegationSigned } from '../../src/trust/statements.js';
import { gateOf } from '../support/gates.js';
import { person } from '../support/signers.js';

const [ada, grace] = [person('ada@example.com'), person('grace@example.com')];
const saidIn = ({ statement }: { readonly statement: string }): unknown => JSON.parse(statement);

test('a decision is signed for exactly this round of this run, and what it shows', async () => {
  const ballot = await ballotFor(ada, 'approve', 'nhi/app/rotate/2', gateOf(), 'looks right');
  expect(saidIn(ballot.signed)).toMatchObject({
    approver: ada.name,
    decision: 'approve',
    operation: 'nhi/app/rotate/2',
    run: 'run-1',
    round: 'round-1',
    plan: 'sha256:plan',
    policy: 'sha256:policy',
    evidence: 'sha256:evidence',
    requester: 'ada',
    reason: 'looks right',
  });
  expect(saidIn(ballot.signed)).not.toHaveProperty('onBehalfOf');
  expect(ballot).not.toHaveProperty('delegation');
});

test('for somebody absent it says for whom, and brings what they signed', async () => {
  const now = new Date();
  const lent = { to: ada.name, groups: ['platform'], environments: [], reason: 'holiday', nbf: now.toISOString() };
  const delegation = await delegationSigned({ id: 'd-1', ...lent }, 86_400_000, grace, now);
  const ballot = await ballotFor(ada, 'deny', 'nhi/app/rotate/2', gateOf(), 'no', delegation);
  expect(saidIn(ballot.signed)).toMatchObject({ approver: ada.name, onBehalfOf: grace.name, decision: 'deny' });
  expect(ballot.delegation).toEqual(delegation);
});
