/** What is read of exceptions and reviews: in plain words, and for the controls of frameworks. */
import { readFile } from 'node:fs/promises';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import type { ExceptionEvidence } from '../../src/domain/evidence.js';
import { explainException } from '../../src/evidence/read/explain-exception.js';
import { explain } from '../../src/evidence/read/explain.js';
import { besideObservations, type BesideName, type BesideRecord } from '../../src/evidence/read/observations-beside.js';
import { oscalOf } from '../../src/evidence/read/oscal.js';
import { reportLines } from '../../src/evidence/read/report-words.js';
import { reportOn, type Beside } from '../../src/evidence/read/report.js';
import { isCovering } from '../../src/evidence/relied.js';
import { digestOf } from '../../src/policy/digest.js';
import { endedException, exception, refusedException, review, routine } from './beside-records.js';
import { decision, gate, record, sealed, vote } from './records.js';

const of = (one: ExceptionEvidence): BesideRecord => ({ kind: 'exception', record: one });
const oneReview: BesideRecord = { kind: 'review', record: review() };
const oneRoutine: BesideRecord = { kind: 'routine', record: routine() };
const digested = (any: BesideRecord): Beside => ({ ...any, digest: digestOf(any.record) });

/** For each observation a record that shows it, one that shows the contrary, and one that says nothing. */
const shows: Readonly<Record<BesideName, readonly [BesideRecord, BesideRecord | undefined, BesideRecord]>> = {
  exceptionApproved: [
    of(exception()),
    of(exception({ gate: gate({ votes: [vote('olga@example.com')] }) })),
    of(endedException()),
  ],
  exceptionControlled: [of(exception()), of(exception({ checks: [] })), of(refusedException())],
  exceptionEnded: [of(endedException()), undefined, of(exception())],
  elevationReview: [
    oneReview,
    { kind: 'review', record: review({ reviews: review().reviews.slice(1) }) },
    of(exception()),
  ],
  routineReview: [oneRoutine, undefined, oneReview],
};

describe.each(Object.entries(shows) as [BesideName, (typeof shows)[BesideName]][])(
  '%s',
  (name, [good, bad, silent]) => {
    const { of: seen } = besideObservations[name];
    test('a record shows it', () => expect(seen(good)).toMatchObject({ operated: true }));
    test('a record shows that it did not', () => {
      if (bad) expect(seen(bad)).toMatchObject({ operated: false });
      else expect(['exceptionEnded', 'routineReview']).toContain(name);
    });
    test('a record that is about something else says nothing', () => expect(seen(silent)).toBeUndefined());
  },
);

test('an exception that its gate refused shows that the control operated', () => {
  expect(besideObservations.exceptionApproved.of(of(refusedException()))).toMatchObject({
    operated: true,
    what: expect.stringContaining('refused: denied by grace@example.com'),
  });
});

describe('a report', () => {
  const beside = [exception(), endedException(), refusedException({ id: 'another' })].map((one) => digested(of(one)));

  test.each([
    ['csf2', 'ID.RA-07', ['exceptionApproved', 'exceptionControlled', 'exceptionEnded']],
    ['800-53', 'CA-5', ['exceptionApproved', 'exceptionEnded']],
    ['800-53', 'RA-7', ['exceptionApproved', 'exceptionControlled', 'exceptionEnded']],
  ] as const)('of %s counts for %s the exceptions that were approved, refused and over', (framework, id, expected) => {
    const control = reportOn(framework, [sealed(record())], {}, beside).controls.find((one) => one.id === id)!;
    const counted = Object.fromEntries(
      control.observations.map(({ observation, operated }) => [observation, operated.length]),
    );
    const all = { exceptionApproved: 2, exceptionControlled: 2, exceptionEnded: 1 };
    expect(counted).toMatchObject(Object.fromEntries(expected.map((name) => [name, all[name]])));
  });

  test('lists every record by its time, counts only those of the period, and says which were read', () => {
    const report = reportOn('csf2', [sealed(record())], {}, [...beside, digested(oneRoutine), digested(oneReview)]);
    const times = report.records.map(({ at }) => at);
    expect(times).toEqual(times.toSorted());
    expect(report.records).toHaveLength(6);
    expect(report.period).toMatchObject({ from: exception().approvedAt, to: endedException().end!.at });
    const march = reportOn('csf2', [sealed(record())], { since: '2026-03-10T00:00:00.000Z' }, beside);
    expect(march.records.map(({ operation }) => operation)).toEqual(['exception/payments-db-1/ended']);
    expect(reportLines(report).join('\n')).toContain('exception payments-db-1 from nothing-lives-for-ever approved by');
  });

  test('as OSCAL passes the schema of NIST with every kind of record', async () => {
    const schema = new URL('schemas/oscal-assessment-results-1.2.1.schema.json', import.meta.url);
    const ajv = new Ajv({ strict: false, allErrors: true });
    addFormats.default(ajv);
    const validate = ajv.compile(JSON.parse(await readFile(schema, 'utf8')) as object);
    const all = Object.values(shows).flatMap((each) => each.filter((one) => one !== undefined).map(digested));
    for (const framework of ['csf2', '800-53'] as const) {
      validate(oscalOf(reportOn(framework, [sealed(record())], {}, all)));
      expect(validate.errors).toBeNull();
    }
  });
});

describe('an exception is told in plain words:', () => {
  const told = (...records: readonly [ExceptionEvidence, ...ExceptionEvidence[]]): string => {
    const { summary, sections } = explainException(records);
    return [summary, ...sections.flatMap(({ heading, lines }) => [heading, ...lines])].join('\n');
  };

  test('what was excepted, until when, under which controls, who asked and who approved', () => {
    const text = told(exception());
    for (const line of [
      'The exception payments-db-1 of payments-db from nothing-lives-for-ever was approved at 2026-02-01 12:00:00Z',
      'No record of its end is in the log',
      'ada@example.com asked for it, because: the vendor changes its driver in May.',
      'did not have to meet: nothing-lives-for-ever',
      'then payments-db was to be asked to rotate',
      'this held: a validation of the identity succeeds (it succeeded)',
      'by exception-second-person',
      'grace@example.com approved at',
    ])
      expect(text).toContain(line);
  });

  test('when it was suspended and why, or that it never was', () => {
    const from = '2026-02-02T00:00:00.000Z';
    const suspensions = [
      { from, to: '2026-02-03T00:00:00.000Z', why: 'not so: a validation succeeds (it failed)' },
      { from: '2026-03-14T00:00:00.000Z', why: 'not so: the program yes says yes' },
    ];
    const text = told(exception(), endedException({ suspensions }));
    expect(text).toContain(
      'Suspended from 2026-02-02 00:00:00Z to 2026-02-03 00:00:00Z: not so: a validation succeeds',
    );
    expect(text).toContain('Suspended from 2026-03-14 00:00:00Z to 2026-03-15 00:00:01Z: not so: the program yes says');
    expect(told(exception(), endedException({ suspensions: [] }))).toContain('It was never suspended');
    expect(told(exception(), endedException())).not.toContain('uspended');
    const seen = besideObservations.exceptionControlled.of(of(endedException({ suspensions })));
    expect(seen).toMatchObject({
      operated: true,
      what: expect.stringContaining('suspended 2 times, the last one since'),
    });
  });

  test('how it ended, by whose word, and what followed', () => {
    const word = { by: 'ada@example.com', reason: 'rotated' };
    const end = { at: '2026-02-10T00:00:00.000Z', why: 'withdrawn by ada@example.com: rotated', word };
    expect(told(exception(), endedException({ end }))).toMatch(
      /ended at 2026-02-10 00:00:00Z: withdrawn by ada.*The word of ada@example.com is in the record, signed.*No record of the rotate of payments-db/s,
    );
    const followed = explainException([endedException()], [record()]).sections.flatMap(({ lines }) => lines);
    expect(followed).toContainEqual(expect.stringContaining('nhi/payments-db/rotate/3 followed: succeeded'));
  });

  test('that it was refused, and what its record cannot tell', () => {
    expect(told(refusedException())).toContain(
      'was not approved, so it never held: denied by grace@example.com: too long',
    );
    const { approval: _none, ...unproven } = endedException();
    expect(explainException([unproven]).unknown.join('\n')).toContain('Who approved it');
    expect(explainException([endedException()]).unknown.join('\n')).not.toContain('Who approved it');
  });
});

describe('a process is told with what else the log holds about it:', () => {
  const facts = { there: [], growth: [], unused: [], exceptions: ['nothing-lives-for-ever'] };
  const lifted = record({ decision: decision({ facts }) });
  const placed = <R>(one: R) => ({ index: 7, digest: digestOf(one), record: one });
  const lines = (heading: string, ...asked: Parameters<typeof explain>): readonly string[] =>
    explain(...asked).sections.find((one) => one.heading === heading)?.lines ?? [];
  const leaned = 'Which exceptions it leaned on';

  test('the exceptions that its decision leaned on, and where their record is', () => {
    const [line] = lines(leaned, lifted, { exceptions: [placed(exception())], reviews: [] });
    expect(line).toMatch(
      /the exception payments-db-1, asked for by ada.*approved by grace.*entry 7 of the log \(sha256:/,
    );
    expect(lines(leaned, record(), { exceptions: [placed(exception())], reviews: [] })).toEqual([]);
  });

  test.each<[string, ExceptionEvidence[]]>([
    ['none', []],
    ['one of another identity', [exception({ identity: 'ledger-db' })]],
    ['one from another rule', [exception({ terms: { ...exception().terms, rules: ['no-wildcards'] } })]],
    ['one that was over', [exception({ terms: { ...exception().terms, until: '2026-02-02T00:00:00.000Z' } })]],
    ['one that was approved later', [exception({ approvedAt: '2026-03-02T00:00:00.000Z' })]],
    ['one that was refused', [refusedException()]],
    [
      'one that was withdrawn before',
      [exception(), endedException({ end: { at: '2026-02-10T00:00:00.000Z', why: 'withdrawn' } })],
    ],
  ])('that no record of one is in the log: there is %s', (_, all) => {
    expect(lines(leaned, lifted, { exceptions: all.map(placed), reviews: [] })).toEqual([
      expect.stringContaining('the log holds no record of an exception from it that held then'),
    ]);
    const at = lifted.decision!.at;
    const question = { rule: 'nothing-lives-for-ever', identity: 'payments-db', at };
    expect(all.some((one) => isCovering(one, all, question))).toBe(false);
  });

  test('who reviewed an elevation and what they said, or that nobody has', () => {
    const at = '2026-03-01T12:00:30.000Z';
    const lent = record({ kind: 'elevate', proofs: { elevated: { incident: 'INC-1', from: at, until: at } } });
    const text = lines('Who reviewed it', lent, { exceptions: [], reviews: [placed(review())] }).join('\n');
    expect(text).toContain('2 people of 2 that were asked for reviewed it');
    expect(text).toContain('joan@example.com found it justified');
    expect(lines('Who reviewed it', lent, { exceptions: [], reviews: [] })).toEqual([
      expect.stringContaining('No review is in the log'),
    ]);
  });
});
