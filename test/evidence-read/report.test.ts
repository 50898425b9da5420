import { readFile } from 'node:fs/promises';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ProcessRecord } from '../../src/domain/evidence.js';
import { frameworks, type FrameworkName } from '../../src/evidence/read/frameworks.js';
import { observations, type ObservationName } from '../../src/evidence/read/observations.js';
import { oscalOf } from '../../src/evidence/read/oscal.js';
import { reportLines, reportMarkdown } from '../../src/evidence/read/report-words.js';
import { reportOn } from '../../src/evidence/read/report.js';
import { uuidOf } from '../../src/evidence/read/uuid.js';
import { credential, decision, gate, record, sealed, signed, vote } from './records.js';

const names = Object.keys(frameworks) as FrameworkName[];
const at = '2026-03-01T12:00:30.000Z';
const accepted = record().proofs.accepted!;
const owed = decision({ obligations: { approvals: 1, gateMs: 1 } });
const withFacts = decision({ facts: { there: [], growth: ['delete on ledger'], unused: [], exceptions: ['e-1'] } });
const approved = gate({ votes: [vote('grace@example.com')] });
const unfinished: Partial<ProcessRecord> = { outcome: 'unfinished', failure: { code: 'UnwindFailed', message: 'm' } };
const excess = [{ what: 'right' as const, problem: 'excess' as const, detail: 'it may delete' }];
const elevated = { incident: 'INC-1', from: at, until: at };
const { requester: _requester, ...unsigned } = record();
const { decision: _decision, ...undecided } = record();
const { history: _history, ...unkept } = record();

/** For each observation a record that shows it, one that shows the contrary, and one that says nothing. */
const shows: Readonly<
  Record<ObservationName, readonly [ProcessRecord, ProcessRecord | undefined, ProcessRecord | undefined]>
> = {
  request: [record(), unsigned, undefined],
  decision: [record(), undecided, { ...undecided, kind: 'validate' }],
  approval: [record({ decision: owed, gate: approved }), record({ decision: owed }), record()],
  separation: [
    record({ gate: gate({ refused: [{ at, claimed: 'mallory@example.com', reason: 'forged' }] }) }),
    record({ gate: gate({ votes: [vote('ada@example.com')] }) }),
    record(),
  ],
  stepUp: [
    record({ gate: approved }),
    record({ gate: gate({ votes: [vote('grace@example.com', { stepUp: false })] }) }),
    record({ gate: gate({ stepUp: false }) }),
  ],
  growth: [record({ decision: withFacts, gate: approved }), record({ decision: withFacts }), record()],
  leastPrivilege: [
    record(),
    record({ proofs: { accepted: { ...accepted, excess: ['delete'] } } }),
    record({ proofs: {} }),
  ],
  recordedUse: [
    record({ proofs: { accepted: { ...accepted, use: { known: true, unused: [{ right: 'delete', since: at }] } } } }),
    record({ proofs: { accepted: { ...accepted, use: { known: false, why: 'no extension' } } } }),
    record(),
  ],
  provision: [record({ kind: 'provision' }), record({ kind: 'provision', ...unfinished }), record()],
  rotation: [record(), record({ proofs: { accepted } }), record({ kind: 'validate' })],
  validation: [
    record({ kind: 'validate' }),
    record({ kind: 'validate', proofs: { accepted, drift: excess } }),
    record(),
  ],
  revocation: [record({ kind: 'revoke', after: {} }), record({ kind: 'revoke', after: {}, proofs: {} }), record()],
  offboarding: [
    record({ kind: 'offboard', after: {}, proofs: { gone: ['no role'] } }),
    record({ kind: 'offboard', after: {}, proofs: {} }),
    record(),
  ],
  emergency: [
    record({ request: { ...record().request, emergency: true } }),
    record({ request: { ...record().request, emergency: true }, ...unfinished }),
    record(),
  ],
  elevation: [
    record({ proofs: { elevated: { ...elevated, endedAt: at, restored: accepted } } }),
    record({ proofs: { elevated: { ...elevated, endedAt: at } } }),
    record(),
  ],
  exception: [record({ decision: withFacts }), undefined, record()],
  ownIdentity: [record(), record({ identity: 'reused-db' }), record({ after: {} })],
  isolation: [
    record(),
    record({
      identity: 'staged-db',
      plan: { ...record().plan!, environment: 'staging' },
      after: { current: credential('v', 'staged') },
    }),
    record({ after: {} }),
  ],
  record: [record(), unkept, undefined],
};

const together: Partial<Record<ObservationName, readonly ProcessRecord[]>> = {
  ownIdentity: [record()],
  isolation: [record()],
};

describe.each(Object.entries(shows) as [ObservationName, (typeof shows)[ObservationName]][])(
  '%s',
  (name, [good, bad, silent]) => {
    const of = (one: ProcessRecord, others: readonly ProcessRecord[] = []) =>
      observations[name].of(one, [one, ...others]);

    test('a record shows it', () => expect(of(good)).toMatchObject({ operated: true }));
    test('a record shows that it did not', () => {
      if (bad) expect(of(bad, together[name])).toMatchObject({ operated: false });
      else expect(name).toBe('exception');
    });
    test('a record that is about something else says nothing', () => {
      if (silent) expect(of(silent)).toBeUndefined();
      else expect(['request', 'record']).toContain(name);
    });
  },
);

test('people who approved in advance, in place of a gate, approved', () => {
  const held = { id: 'a-1', approver: 'grace@example.com', groups: [], key: 'SHA256:grace', stepUp: false };
  const spared = [{ id: 'production', why: 'it asks', controls: [], approvals: 1, groups: [], stepUp: false }];
  const words = { typ: 'tenure/advance@v1', id: 'a-1', approver: held.approver };
  const advance = [signed({ ...words, kinds: ['rotate'], identities: ['payments-db'] })];
  const request = { ...record().request, advance };
  const inAdvance = { approvals: [held], spared, directory: 'sha256:0' };
  const of = (permitted: boolean) =>
    observations.approval.of(record({ request, decision: decision({ permitted, inAdvance }) }));
  expect(of(true)).toEqual({ operated: true, what: 'approved in advance by grace@example.com' });
  expect(of(false)).toBeUndefined();
});

test('a gate that was denied or expired held', () => {
  for (const outcome of ['denied', 'expired'] as const)
    expect(observations.approval.of(record({ outcome: 'undone', gate: gate({ outcome }) }))).toMatchObject({
      operated: true,
    });
});

test.each(names)('%s: identifiers are of the version that it names, once each, and none was withdrawn', (name) => {
  const pattern = {
    csf2: /^(GV|ID|PR|DE|RS)\.[A-Z]{2}-\d\d$/,
    '800-53': /^[A-Z]{2}-\d+(\(\d+\))?$/,
    'owasp-nhi': /^NHI\d+:2025$/,
  }[name];
  const ids = frameworks[name].controls.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(pattern);
  expect(ids.filter((id) => id.startsWith('PR.AC'))).toEqual([]);
  if (name === 'csf2') expect(ids).toContain('PR.AA-05');
  if (name === '800-53') expect(frameworks[name].controls.find(({ id }) => id === 'AC-2(3)')!.token).toBe('ac-2.3');
  if (name === 'owasp-nhi') expect(ids).toHaveLength(10);
});

test('a control counts what operated and what did not, names the records, and always names what no record shows', () => {
  const report = reportOn('800-53', [record(), record({ number: 4, proofs: { accepted } })].map(sealed));
  const control = report.controls.find(({ id }) => id === 'IA-5')!;
  expect(control).toMatchObject({ operated: 1, failed: 1 });
  const rotation = control.observations.find(({ observation }) => observation === 'rotation')!;
  expect(rotation.operated.map(({ operation }) => operation)).toEqual(['nhi/payments-db/rotate/3']);
  expect(rotation.failed.map(({ operation }) => operation)).toEqual(['nhi/payments-db/rotate/4']);
  expect(control.gaps).toContain('No record in this period shows that credentials were ended, and are refused.');
  for (const { gaps } of report.controls) expect(gaps.at(-1)).toMatch(/^No record can show/);
});

test('only processes that ended in the period count, its ends included', () => {
  const on = (day: number, number: number) => sealed(record({ number, endedAt: `2026-03-0${day}T00:00:00.000Z` }));
  const records = [on(3, 3), on(1, 1), on(2, 2), on(4, 4)];
  const period = { since: '2026-03-02T00:00:00.000Z', until: '2026-03-03T00:00:00.000Z' };
  expect(reportOn('csf2', records, period).records.map(({ operation }) => operation)).toEqual([
    'nhi/payments-db/rotate/2',
    'nhi/payments-db/rotate/3',
  ]);
});

test('no form of a report says that anything is compliant or satisfied', () => {
  for (const name of names) {
    const report = reportOn(name, [record(), unsigned].map(sealed));
    const all = [reportLines(report).join('\n'), reportMarkdown(report), JSON.stringify(oscalOf(report))].join('\n');
    expect(all).not.toMatch(/complian|"satisfied"/i);
    expect(all).toContain('evidence that a control operated');
  }
});

test('what a record holds is no markup in the Markdown form', () => {
  const reason = 'x` | ![a](http://h) <img>\n# heading';
  const report = reportOn('csf2', [sealed(record({ decision: decision({ reasons: [reason] }) }))]);
  const lines = reportMarkdown(report)
    .split('\n')
    .filter((line) => line.includes('heading'));
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) expect(line).toMatch(/^- (did not: )?`[^`]*`$/);
});

describe('OSCAL assessment results', () => {
  let validate: (document: unknown) => boolean;
  beforeAll(async () => {
    const schema = await readFile(
      new URL('schemas/oscal-assessment-results-1.2.1.schema.json', import.meta.url),
      'utf8',
    );
    const ajv = new Ajv({ strict: false, allErrors: true });
    addFormats.default(ajv);
    const compiled = ajv.compile(JSON.parse(schema) as object);
    validate = (document) => {
      const valid = compiled(document);
      if (!valid) throw new Error(JSON.stringify(compiled.errors));
      return valid;
    };
  });

  const everything = Object.values(shows).flatMap((all) => all.filter((one) => one !== undefined));
  const records = everything.map((one, number) =>
    sealed({ ...one, operation: `nhi/payments-db/rotate/${number}`, run: `run-${number}` }),
  );

  test.each(names)(
    '%s: they pass the schema of NIST, with every observation and finding, and without any record',
    (name) => {
      expect(validate(oscalOf(reportOn(name, records)))).toBe(true);
      expect(validate(oscalOf(reportOn(name, [])))).toBe(true);
    },
  );

  test('the schema is seen to refuse: a finding without its target, an unknown field, a UUID that is none', () => {
    const document = (): {
      'assessment-results': { uuid: string; more?: string; results: { findings: { target?: object }[] }[] };
    } => oscalOf(reportOn('800-53', records)) as never;
    const [first, second, third] = [document(), document(), document()];
    delete first['assessment-results'].results[0]!.findings[0]!.target;
    second['assessment-results'].more = 'x';
    third['assessment-results'].uuid = 'x';
    for (const broken of [first, second, third]) expect(() => validate(broken)).toThrow(/instancePath/);
  });

  test('the same records give the same bytes, in whatever order they come, and one more record gives others', () => {
    const written = (all: typeof records): string => JSON.stringify(oscalOf(reportOn('csf2', all)));
    expect(written(records.toReversed())).toBe(written(records));
    expect(written([...records, sealed(record({ number: 99 }))])).not.toBe(written(records));
  });

  test('a control with a record that shows it did not operate gets a finding, and no other control does', () => {
    const { results } = (
      oscalOf(reportOn('800-53', [sealed(unkept)])) as { 'assessment-results': { results: { findings: object[] }[] } }
    )['assessment-results'];
    expect(
      results[0]!.findings.map((finding) => (finding as { target: { 'target-id': string } }).target['target-id']),
    ).toEqual(['au-3_smt', 'au-9.3_smt', 'au-12_smt']);
  });

  test('two runs of one operation are two pieces of evidence', () => {
    const twice = [record({ run: 'run-1' }), record({ run: 'run-2' })].map(sealed);
    const document = oscalOf(reportOn('csf2', twice)) as {
      'assessment-results': { 'back-matter': { resources: { uuid: string }[] } };
    };
    const ids = document['assessment-results']['back-matter'].resources.map(({ uuid }) => uuid);
    expect(new Set(ids).size).toBe(3);
  });
});

test('a UUID of ours is of version 5 and follows from its name', () => {
  expect(uuidOf('a')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(uuidOf('a')).toBe(uuidOf('a'));
  expect(uuidOf('a')).not.toBe(uuidOf('b'));
});
