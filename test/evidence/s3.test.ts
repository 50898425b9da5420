import { generateKeyPairSync } from 'node:crypto';
import {
  DeleteObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, test, type TestContext } from 'vitest';
import { openCheckpoint } from '../../src/evidence/checkpoint.js';
import { exportBundle } from '../../src/evidence/bundle/export.js';
import { checkpointName, entryName, openLog } from '../../src/evidence/log.js';
import { leafHash, treeOf } from '../../src/evidence/merkle.js';
import { logKeyOf } from '../../src/evidence/note.js';
import { publicKeyName } from '../../src/evidence/open.js';
import type { S3Options } from '../../src/evidence/options.js';
import { readerOf } from '../../src/evidence/reader.js';
import { s3Shelf } from '../../src/evidence/s3-shelf.js';
import { statementText } from '../../src/evidence/statement.js';
import { verifyBundle } from '../../src/evidence/verify.js';
import { startS3, type S3Server } from '../systems/s3.js';

const name = 'example.com/tenure';
const { privateKey } = generateKeyPairSync('ed25519');
const key = logKeyOf(name, privateKey);

let started: Awaited<ReturnType<typeof startS3>>;
let server: S3Server;
let options: S3Options;
let buckets = 0;

beforeAll(async () => {
  started = await startS3();
}, 300_000);
afterAll(() => 'stop' in started && started.stop());
beforeEach(async (context: TestContext) => {
  if ('unavailable' in started) return context.skip(started.unavailable);
  server = started;
  options = await server.bucket(`evidence-${(buckets += 1)}`);
});

function about(number: number): string {
  return statementText([{ name: `nhi/app/rotate/${number}`, digest: `sha256:${'0'.repeat(64)}` }], 'urn:test', {
    run: 'r',
  });
}

async function entriesOf(count: number): Promise<string[]> {
  const shelf = s3Shelf(options);
  return Promise.all(Array.from({ length: count }, async (_, index) => (await shelf.get(entryName(index)))!));
}

test('what is written once stays as it is: the second writer is told so', async () => {
  const shelf = s3Shelf(options);
  expect(await shelf.create('entries/one', 'first')).toBe(true);
  expect(await shelf.create('entries/one', 'second')).toBe(false);
  expect(await shelf.get('entries/one')).toBe('first');
  expect(await shelf.get('entries/two')).toBeUndefined();
});

test('every object is locked for as long as the operator says, and nobody can delete it before', async () => {
  await openLog(s3Shelf(options), name, privateKey).append(about(1));
  const { client } = server;
  const Bucket = options.bucket;
  const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket }));
  expect(Versions.map(({ Key }) => Key).sort()).toEqual([
    'evidence/checkpoints/000000000001',
    'evidence/entries/000000000000.json',
    'evidence/operations/nhi/app/rotate/1/000000000000',
  ]);
  for (const { Key, VersionId } of Versions) {
    const head = await client.send(new HeadObjectCommand({ Bucket, Key, VersionId }));
    expect(head.ObjectLockMode).toBe('COMPLIANCE');
    expect(head.ObjectLockRetainUntilDate!.getTime() - Date.now()).toBeGreaterThan(29 * 86_400_000);
    const deleted = client.send(new DeleteObjectCommand({ Bucket, Key, VersionId, BypassGovernanceRetention: true }));
    await expect(deleted).rejects.toBeInstanceOf(S3ServiceException);
  }
});

test('several workers write one tree, and a new one reads it back', async () => {
  const logs = Array.from({ length: 3 }, () => openLog(s3Shelf(options), name, privateKey));
  await Promise.all(Array.from({ length: 12 }, (_, number) => logs[number % 3]!.append(about(number % 8))));
  const texts = await entriesOf(8);
  const again = await openLog(s3Shelf(options), name, privateKey).append(about(8));
  expect(again.index).toBe(8);
  const checkpoint = openCheckpoint((await s3Shelf(options).get(checkpointName(8)))!, key)!;
  expect(checkpoint.root).toEqual(treeOf(texts.map((text) => leafHash(text))).root());
});

test('the last number is found without listing them all', async () => {
  const shelf = s3Shelf(options);
  expect(await shelf.last('checkpoints')).toBeUndefined();
  for (const number of [1, 2, 3, 7, 8, 21]) {
    await shelf.create(checkpointName(number), 'x');
    expect(await shelf.last('checkpoints')).toBe(number);
  }
});

test('a log in a bucket is read, exported and verified like one in a folder', async () => {
  const shelf = s3Shelf(options);
  await shelf.create(publicKeyName, `${key.text}\n`);
  const log = openLog(shelf, name, privateKey);
  for (const number of [1, 2, 3]) await log.append(about(number));
  const reader = readerOf(shelf, async () => key);
  expect(await reader.size()).toBe(3);
  expect((await reader.read(1)).predicateType).toBe('urn:test');
  const checks = await verifyBundle(await exportBundle(shelf, {}), { logKey: key.text });
  expect(checks.filter(({ verdict }) => verdict !== 'held')).toEqual([]);
});

test('an entry that somebody has put another version over keeps the log from being written, and is found', async () => {
  const log = openLog(s3Shelf(options), name, privateKey);
  for (const number of [1, 2, 3]) await log.append(about(number));
  const put = { Bucket: options.bucket, Key: `${options.prefix}${entryName(1)}`, Body: '{}' };
  await server.client.send(new PutObjectCommand(put));
  await expect(openLog(s3Shelf(options), name, privateKey).append(about(4))).rejects.toMatchObject({
    code: 'StoreUnavailable',
    message: expect.stringContaining('not those that its last checkpoint was made of'),
  });
});

test('a bucket that is not there is an error that is tried again and says what to look at', async () => {
  const append = openLog(s3Shelf({ ...options, bucket: 'nobodys' }), name, privateKey).append(about(1));
  await expect(append).rejects.toMatchObject({
    code: 'StoreUnavailable',
    message: expect.stringContaining('s3://nobodys/evidence/: '),
  });
});
