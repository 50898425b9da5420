/** What records say of one another, where one of them is missing. */
import { expect, test } from 'vitest';
import type { AnyRecord } from '../../src/evidence/kinds.js';
import type { Manifest } from '../../src/evidence/bundle/manifest.js';
import { checkBeside } from '../../src/evidence/verify/beside-checks.js';
import type { LogUnderTest } from '../../src/evidence/verify/log-checks.js';
import { digestOfText } from '../../src/evidence/attachments.js';
import { endedException, exception } from '../evidence-read/beside-records.js';
import { decision, record } from '../evidence-read/records.js';

const facts = { there: [], growth: [], unused: [], exceptions: ['nothing-lives-for-ever'] };
const leaning: AnyRecord = { kind: 'process', record: record({ decision: decision({ facts }) }) };
const approved: AnyRecord = { kind: 'exception', record: exception() };
const ended: AnyRecord = { kind: 'exception', record: endedException({ approval: digestOfText('1') }) };

async function found(any: AnyRecord, all: readonly AnyRecord[], selection: Manifest['selection'] = {}) {
  const manifest: Manifest = { v: 1, type: 'tenure/evidence-bundle', selection, entries: [], files: {} };
  const log = { manifest } as unknown as LogUnderTest;
  const entries = all.map((each, index) => ({
    ...{ index, subject: '', text: '' },
    any: each,
    statement: String(index),
  }));
  return (await checkBeside(log, any, 'it', entries)).map(({ check, verdict }) => `${check}: ${verdict}`);
}

test('a decision that leaned on an exception is held against its record', async () => {
  expect(await found(leaning, [leaning, approved])).toEqual(['exceptions: held']);
  expect(await found(leaning, [leaning])).toEqual(['exceptions: broken']);
  expect(await found(leaning, [leaning], { identity: 'payments-db' })).toEqual(['exceptions: broken']);
  expect(await found({ kind: 'process', record: record() }, [])).toEqual([]);
});

test('a part of the log may lack it, and then it is not known', async () => {
  expect(await found(leaning, [leaning], { operation: 'nhi/payments-db/rotate/3' })).toEqual(['exceptions: unknown']);
  expect(await found(leaning, [leaning], { since: '2026-03-01T00:00:00.000Z' })).toEqual(['exceptions: unknown']);
});

test('an end is held against the approval that it names, of the same terms, at the same gate', async () => {
  const other = (differs: Parameters<typeof exception>[0]): AnyRecord => ({
    kind: 'exception',
    record: exception(differs),
  });
  const { gate, terms } = exception();
  expect(await found(ended, [ended, approved])).toEqual(['approved before: held']);
  expect(await found(ended, [ended])).toEqual(['approved before: broken']);
  expect(await found(ended, [ended, ended])).toEqual(['approved before: broken']);
  expect(await found(ended, [ended, other({ gate: { ...gate, round: 'x' } })])).toEqual(['approved before: broken']);
  const signed = { statement: '{}', signature: 'x' };
  expect(await found(ended, [ended, other({ terms: { ...terms, signed } })])).toEqual(['approved before: broken']);
});

test('an approval whose time is over long since lacks its end', async () => {
  const late: AnyRecord = { kind: 'process', record: record({ endedAt: '2026-04-01T00:00:00.000Z' }) };
  expect(await found(approved, [approved])).toEqual(['time: held']);
  expect(await found(approved, [approved, late])).toEqual(['time: unknown']);
  expect(await found(approved, [approved, late, ended])).toEqual(['time: held']);
});
