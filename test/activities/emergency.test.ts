/** Who may stop what runs: being somebody is not enough, policy has to allow the revocation that it is stopped for. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { emergencyPolicy } from '../../activities/emergency.js';
import { createTrustActivities } from '../../activities/trust.js';
import { packageRoot } from '../../src/package-root.js';
import { policySource } from '../../src/policy/policy.js';
import type { Declared } from '../../src/trust/declared.js';
import { requestSigned } from '../../src/trust/statements.js';
import { directoryOf, person, type TestSigner } from '../support/signers.js';
import { specOf } from '../support/spec.js';

const ada = person('ada@example.com');
const helper = person('agent/helper', { kind: 'agent', owner: 'ada@example.com' });
const packed = policySource({ path: join(packageRoot, 'policies'), productionEnvironments: ['production'] });
const permitted: Declared = {
  v: 1,
  identity: 'app',
  request: 'r-0',
  by: 'ada@example.com',
  how: 'permitted',
  spec: specOf('app'),
  at: '2026-01-01T00:00:00.000Z',
};

async function declares(signer: TestSigner, noted: readonly Declared[]) {
  const directory = directoryOf(ada, helper);
  const loadDirectory = async () => directory;
  const demandEmergency = emergencyPolicy({
    loadPolicy: () => packed.current(),
    loadDirectory,
    declarations: { of: async () => noted },
  });
  const { attest } = createTrustActivities({ loadDirectory, demandEmergency });
  const request = { id: 'r-1', kind: 'revoke', emergency: true, requester: signer.name } as const;
  return attest({ asked: await requestSigned(request, 'app', signer), identity: 'app' });
}

test('an emergency of somebody whom policy lets revoke is taken', async () => {
  await expect(declares(ada, [permitted])).resolves.toMatchObject({ name: 'ada@example.com' });
});

test('one of an agent, which ends no identity, stops nothing: it is refused before', async () => {
  await expect(declares(helper, [permitted])).rejects.toMatchObject({
    code: 'PolicyDenied',
    message: expect.stringContaining('Services and agents end no identity'),
  });
});

test('where nothing was ever permitted there is nothing to stop, and the process itself decides', async () => {
  await expect(declares(helper, [])).resolves.toMatchObject({ name: 'agent/helper' });
  await expect(declares(helper, [{ ...permitted, how: 'asked' }])).resolves.toMatchObject({ name: 'agent/helper' });
});
