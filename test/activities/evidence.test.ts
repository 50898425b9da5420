import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RecordActivities } from '../../activities/contract.js';
import { createEvidenceActivities } from '../../activities/evidence.js';

type Record = Parameters<RecordActivities['seal']>[0];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-evidence-'));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

function recordOf(): Record {
  return {
    state: {
      operation: 'nhi/app/rotate/2',
      kind: 'rotate',
      identity: 'app',
      requester: 'ada',
      emergency: false,
      stages: [
        { name: 'plan', status: 'done' },
        { name: 'seal', status: 'running', startedAt: '2026-01-01T00:00:01.000Z' },
      ],
      forwardOnly: true,
      leftovers: [],
    },
    result: {
      kind: 'rotate',
      operation: 'nhi/app/rotate/2',
      outcome: 'succeeded',
      startedAt: '2026-01-01T00:00:00.000Z',
      endedAt: '2026-01-01T00:00:01.000Z',
      after: {},
      proofs: {},
      leftovers: [],
    },
  };
}

test('I12: the digest is the SHA-256 of the file, which anyone can compute', async () => {
  const { evidence } = await createEvidenceActivities(folder).seal(recordOf());
  const text = await readFile(join(folder, 'nhi/app/rotate/2.json'), 'utf8');
  expect(evidence).toBe(`sha256:${createHash('sha256').update(text).digest('hex')}`);
  expect(JSON.parse(text)).toMatchObject({
    type: 'tenure/process',
    operation: 'nhi/app/rotate/2',
    outcome: 'succeeded',
  });
});

test('the same process gives the same record, whatever the order of its fields', async () => {
  const { seal } = createEvidenceActivities(folder);
  const record = recordOf();
  const turned = JSON.parse(
    JSON.stringify({ result: Object.fromEntries(Object.entries(record.result).toReversed()), state: record.state }),
  ) as Record;
  expect(await seal(turned)).toEqual(await seal(record));
});

test('the stage that seals is not in it, since it has not ended', async () => {
  await createEvidenceActivities(folder).seal(recordOf());
  expect(await readFile(join(folder, 'nhi/app/rotate/2.json'), 'utf8')).not.toContain('"seal"');
});

test('only its user may read it', async () => {
  await createEvidenceActivities(folder).seal(recordOf());
  expect((await stat(join(folder, 'nhi/app/rotate'))).mode & 0o077).toBe(0);
});

test('a folder that cannot be written is an error that is tried again and says what to do', async () => {
  await writeFile(join(folder, 'nhi'), 'in the way');
  await expect(createEvidenceActivities(folder).seal(recordOf())).rejects.toMatchObject({
    code: 'StoreUnavailable',
    message: expect.stringContaining('make the folder writable'),
  });
});
