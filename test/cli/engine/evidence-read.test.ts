/** What is read of a life that was really lived: signed requests, real workflows, a real log. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SealedRecord } from '../../../src/evidence/reader.js';
import { attest } from '../../../src/evidence/read/attest.js';
import { explain } from '../../../src/evidence/read/explain.js';
import { reportOn } from '../../../src/evidence/read/report.js';
import { startLife, type Life } from '../../evidence/life.js';

let life: Life;
let sealed: SealedRecord[];

beforeAll(async () => {
  life = await startLife();
  await life.live('read-db', { kind: 'provision' });
  await life.live('read-db', { kind: 'rotate', reason: 'monthly' }, [life.alan, life.joan]);
  sealed = await life.evidence.reader.sealedOf('read-db');
});
afterAll(async () => life?.end());

test('a rotation that two people approved is told from its record: who, for whom, with which keys, what was proven', () => {
  const { summary, sections, unknown } = explain(sealed[1]!.record);
  const text = [summary, ...sections.flatMap(({ lines }) => lines)].join('\n');
  expect(text).toContain('and succeeded');
  expect(text).toMatch(/ada@example\.com asked for it .*because: monthly/);
  expect(text).toContain('The signature was verified at');
  expect(text).toMatch(/alan@example\.com approved at .*for .*security/);
  expect(text).toMatch(/joan@example\.com approved at .*on behalf of grace@example\.com, whose delegation away holds/);
  expect(text).toMatch(/Accepted at .*Refused at /s);
  expect(text).toMatch(/New: .*Gone: /s);
  expect(unknown.join('\n')).not.toMatch(/Who really asked|cannot be replayed|no permit|no proof/);
});

test('it is within limits, and its approvals are people; without them it is not', () => {
  const limits = { maxRotationAgeMs: 60_000, maxValidationAgeMs: 60_000, approvals: 2 };
  const [verdict] = attest(sealed, { identities: ['read-db'] }, limits, new Date());
  expect(verdict!.checks.filter(({ holds }) => !holds)).toEqual([]);
  const [before] = attest(sealed.slice(0, 1), { identities: ['read-db'] }, limits, new Date());
  expect(before!.checks.filter(({ holds }) => !holds).map(({ check }) => check)).toEqual(['approval']);
});

test('its records show that controls operated, and none shows the contrary', () => {
  const { controls } = reportOn('800-53', sealed);
  expect(controls.filter(({ failed }) => failed > 0).map(({ id }) => id)).toEqual([]);
  for (const id of ['AC-3(2)', 'AC-24', 'AU-10', 'AU-12', 'IA-5'])
    expect(controls.find((control) => control.id === id)!.operated, id).toBeGreaterThan(0);
});
