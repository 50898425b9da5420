/** I6: which approvals in advance hold for a task, and what is kept of them. */
import { describe, expect, test } from 'vitest';
import type { Attested } from '../../src/domain/directory.js';
import { planOf } from '../../src/domain/plan.js';
import { digestOf } from '../../src/policy/digest.js';
import { advanceFor, inAdvance, verifyAdvance, type Task } from '../../src/trust/advance.js';
import { advanceSigned } from '../../src/trust/statements.js';
import { automation, directoryOf, person, type TestSigner } from '../support/signers.js';
import { specOf } from '../support/spec.js';

const now = new Date('2030-01-01T10:00:00.000Z');
const ada = person('ada@example.com');
const grace = person('grace@example.com', { groups: ['security'] });
const robot = automation('automation/tenure', ada.name);
const directory = directoryOf(ada, grace, robot);
const plan = planOf({
  kind: 'rotate',
  operation: 'nhi/app/rotate/2',
  epoch: 4,
  identity: 'app',
  request: { id: 'r-1', kind: 'rotate', requester: ada.name },
  spec: specOf('app'),
});
const attestedAs = ({ party, key }: TestSigner): Attested => ({
  name: party.name,
  kind: party.kind,
  groups: [],
  ...(party.owner !== undefined && { owner: party.owner }),
  key: key.id,
  presence: 'none',
  at: now.toISOString(),
  statement: '',
});
const task = (differs: Partial<Task> = {}): Task => ({ plan, requester: attestedAs(ada), directory, now, ...differs });
const given = (signer = grace, differs: object = {}) =>
  advanceSigned(
    { id: 'a-1', kinds: ['rotate'], identities: ['app'], reason: 'the move', ...differs },
    86_400_000,
    signer,
    now,
  );

test('one that holds is told with who gave it, for which groups and with which key', async () => {
  expect(await verifyAdvance(await given(), task())).toEqual({
    id: 'a-1',
    approver: grace.name,
    groups: ['security'],
    key: grace.key.id,
    stepUp: false,
  });
});

test.each<[string, TestSigner, object, Partial<Task>, string]>([
  ['of a machine', robot, {}, { requester: attestedAs(grace) }, 'is no person'],
  ['of whoever asks', ada, {}, {}, 'cannot approve it'],
  ['of whoever answers for what asks', ada, {}, { requester: attestedAs(robot) }, 'cannot approve it'],
  ['for another kind', grace, { kinds: ['revoke'] }, {}, 'another task'],
  ['for other identities', grace, { identities: ['api'] }, {}, 'another task'],
  ['that was revoked', grace, {}, { directory: { ...directory, revoked: ['a-1'] } }, 'was revoked'],
  [
    'of somebody who is in the directory no more',
    grace,
    {},
    { directory: directoryOf(ada) },
    'nobody’s in the directory',
  ],
])('one %s does not hold, and is left out', async (_, signer, differs, against, why) => {
  const signed = await given(signer, differs);
  await expect(verifyAdvance(signed, task(against))).rejects.toMatchObject({
    code: 'ApprovalRefused',
    message: expect.stringContaining(why),
  });
  expect(await advanceFor([signed], task(against))).toEqual([]);
});

test('a person counts once, and what cannot be known is thrown', async () => {
  const both = [await given(), await given(grace, { id: 'a-2' })];
  expect((await advanceFor(both, task())).map(({ id }) => id)).toEqual(['a-1']);
  const broken = { parties: undefined } as never;
  await expect(advanceFor(both, task({ directory: broken }))).rejects.toThrow(TypeError);
});

describe('what is kept', () => {
  const approval = { id: 'a-1', approver: grace.name, groups: [], key: 'k', stepUp: false };
  const rule = (id: string) => ({ id, why: '', controls: [], approvals: 1, groups: [], stepUp: false });

  test('is nothing where none held', () => {
    expect(inAdvance([], directory, () => [])).toEqual({});
  });

  test('is what held, which gates it spared, and who judged', () => {
    const asked = (all: readonly unknown[]) =>
      all.length > 0 ? [rule('security')] : [rule('production'), rule('security')];
    expect(inAdvance([approval], directory, asked)).toEqual({
      inAdvance: { approvals: [approval], spared: [rule('production')], directory: digestOf(directory) },
    });
  });
});
