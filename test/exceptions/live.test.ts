import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ExceptionRecord } from '../../src/domain/exception.js';
import { isLive, liveExceptions } from '../../src/exceptions/live.js';
import { publishedIn } from '../../src/exceptions/published.js';
import { termsOf } from '../support/exceptions.js';

const now = new Date('2026-06-01T12:00:00.000Z');
const at = (ms: number): string => new Date(now.getTime() + ms).toISOString();
const hourMs = 3_600_000;

const record = (differs: Partial<ExceptionRecord> = {}): ExceptionRecord =>
  ({
    v: 1,
    terms: termsOf({ until: at(24 * hourMs) }),
    run: 'run',
    gate: {
      votes: [
        { approver: 'grace', decision: 'approve' },
        { approver: 'alan', decision: 'deny' },
      ],
    },
    approvedAt: at(-hourMs),
    status: 'active',
    since: at(-hourMs),
    why: 'every control holds',
    checks: [],
    checkedAt: at(0),
    checkEveryMs: hourMs,
    ...differs,
  }) as unknown as ExceptionRecord;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-live-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('an exception holds', () => {
  test.each([
    ['while it is active, in its time and checked', {}, true],
    ['not while it is suspended', { status: 'suspended' as const }, false],
    ['not after it has ended', { status: 'ended' as const }, false],
    ['not from its last instant on', { terms: termsOf({ until: at(0) }) }, false],
    ['until just before it', { terms: termsOf({ until: at(1) }) }, true],
    ['while its last check is younger than three intervals', { checkedAt: at(-3 * hourMs + 1) }, true],
    ['not from three intervals without a check on', { checkedAt: at(-3 * hourMs) }, false],
    [
      'for ten minutes at least, however often it is checked',
      { checkEveryMs: 1_000, checkedAt: at(-10 * 60_000 + 1) },
      true,
    ],
    ['not beyond them', { checkEveryMs: 1_000, checkedAt: at(-10 * 60_000) }, false],
  ])('%s', (_when, differs, holds) => {
    expect(isLive(record(differs), now)).toBe(holds);
  });
});

describe('what policy may lean on', () => {
  test('is what holds for this identity alone, with who approved it', async () => {
    const [mine, other, suspended] = [record(), record(), record({ status: 'suspended' })];
    const published = publishedIn(folder);
    for (const one of [mine, { ...other, terms: { ...other.terms, identity: 'other' } }, suspended])
      await published.create(one);
    expect(await liveExceptions(folder, 'payments-db', now)).toEqual([
      {
        id: mine.terms.id,
        identity: 'payments-db',
        rules: ['rotation-overdue'],
        until: mine.terms.until,
        requester: 'ada@example.com',
        approvers: ['grace'],
      },
    ]);
  });

  test('is nothing where none was ever published', async () => {
    expect(await liveExceptions(folder, 'payments-db', now)).toEqual([]);
  });

  test('is not known where a file is broken: nothing is leant on then', async () => {
    const one = record();
    await publishedIn(folder).create(one);
    await writeFile(join(folder, 'trust', 'exceptions', `${one.terms.id}.json`), '{');
    await expect(liveExceptions(folder, 'payments-db', now)).rejects.toMatchObject({ code: 'StoreUnavailable' });
  });
});

describe('what is published', () => {
  test('is published once, and stays ended whatever is written about it afterwards', async () => {
    const [published, one] = [publishedIn(folder), record()];
    expect([await published.create(one), await published.create(one)]).toEqual([true, false]);
    await published.end(one.terms.id, { since: at(0), why: 'withdrawn' });
    await published.end(one.terms.id, { since: at(1), why: 'a second time' });
    // A check that began before the end and is late.
    await published.replace({ ...one, status: 'active' });
    expect(await published.read(one.terms.id)).toMatchObject({ status: 'ended', why: 'withdrawn' });
    expect(await liveExceptions(folder, 'payments-db', now)).toEqual([]);
  });

  test.each(['../escape', 'a/b', '', '.hidden', 'UPPER'])('is never called %j', async (id) => {
    const one = record();
    await expect(publishedIn(folder).create({ ...one, terms: { ...one.terms, id } })).rejects.toMatchObject({
      code: 'InvalidRequest',
    });
    expect(await readdir(folder)).not.toContain('escape.json');
  });
});
