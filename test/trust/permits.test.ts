import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { permitsIn, type Permit } from '../../src/trust/permits.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-permits-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const permit = (differs: Partial<Permit> = {}): Permit => ({
  v: 1,
  operation: 'nhi/app/rotate/2',
  run: 'run-1',
  identity: 'app',
  request: 'r-1',
  requester: 'ada@example.com',
  plan: 'sha256:plan',
  policy: 'sha256:policy',
  kind: 'rotate',
  specs: ['sha256:spec'],
  given: {},
  advance: [],
  at: '2030-01-01T00:00:00.000Z',
  ...differs,
});

test('a run that was permitted finds its permit, in another worker too', async () => {
  await permitsIn(folder).grant(permit());
  expect(await permitsIn(folder).demand('nhi/app/rotate/2', 'run-1')).toEqual(permit());
});

test('a run that nobody permitted is refused, and told to ask again', async () => {
  await expect(permitsIn(folder).demand('nhi/app/rotate/2', 'run-1')).rejects.toMatchObject({
    code: 'ApprovalRefused',
    message: expect.stringContaining('was not permitted'),
  });
});

test('a reset run of a permitted operation is refused: at the door, and when it asks again', async () => {
  const permits = permitsIn(folder);
  await permits.grant(permit());
  await expect(permits.demand('nhi/app/rotate/2', 'run-2')).rejects.toMatchObject({ code: 'ApprovalRefused' });
  await expect(permits.grant(permit({ run: 'run-2' }))).rejects.toMatchObject({
    code: 'ApprovalRefused',
    message: expect.stringContaining('counts once'),
  });
  await expect(permits.demand('nhi/app/rotate/2', 'run-1')).resolves.toMatchObject({ run: 'run-1' });
});

test('a request permits one operation, however many workflows it is put into', async () => {
  const permits = permitsIn(folder);
  await permits.grant(permit());
  await expect(permits.grant(permit({ operation: 'nhi/app/rotate/9', run: 'run-9' }))).rejects.toMatchObject({
    message: expect.stringContaining('this request has permitted a run of nhi/app/rotate/2 already'),
  });
});

test('an operation is permitted once, also by another request', async () => {
  const permits = permitsIn(folder);
  await permits.grant(permit());
  await expect(permits.grant(permit({ request: 'r-2', run: 'run-2' }))).rejects.toMatchObject({
    code: 'ApprovalRefused',
  });
});

test('an approval in advance counts once for each identity and kind', async () => {
  const permits = permitsIn(folder);
  const inAdvance = { advance: ['a-1'] };
  await permits.grant(permit(inAdvance));
  const other = permit({ ...inAdvance, operation: 'nhi/app/rotate/3', run: 'run-3', request: 'r-3' });
  await expect(permits.grant(other)).rejects.toMatchObject({ message: expect.stringContaining('in advance') });
  await permits.grant(
    permit({ ...inAdvance, identity: 'api', operation: 'nhi/api/rotate/1', run: 'run-4', request: 'r-4' }),
  );
});

test('the same run may ask again: an activity may be repeated', async () => {
  const permits = permitsIn(folder);
  await permits.grant(permit({ advance: ['a-1'] }));
  await expect(permits.grant(permit({ advance: ['a-1'] }))).resolves.toBeUndefined();
});

test('of two workers that permit two runs at the same moment, one does', async () => {
  const both = [1, 2].map((n) => permitsIn(folder).grant(permit({ run: `run-${n}` })));
  const settled = await Promise.allSettled(both);
  expect(settled.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
});

test('a folder that cannot be read permits nothing, and can be tried again', async () => {
  const permits = permitsIn(join(folder, 'x\u0000'));
  await expect(permits.demand('nhi/app/rotate/2', 'run-1')).rejects.toMatchObject({ code: 'StoreUnavailable' });
  await expect(permits.grant(permit())).rejects.toMatchObject({ code: 'StoreUnavailable' });
});

test('whichever run has the permit of an operation, it can be looked at; what was never permitted cannot', async () => {
  await permitsIn(folder).grant(permit());
  await expect(permitsIn(folder).heldBy('nhi/app/rotate/2')).resolves.toEqual(permit());
  await expect(permitsIn(folder).heldBy('nhi/app/rotate/3')).rejects.toMatchObject({ code: 'ApprovalRefused' });
});
