import type { UseProof } from '../../src/domain/use.js';
import { expect, test } from 'vitest';
import { explain } from '../../src/evidence/read/explain.js';
import { attested, credential, decision, gate, planDigest, record, signed, vote } from './records.js';

function told(one: Parameters<typeof explain>[0]): string {
  const { summary, sections } = explain(one);
  return [summary, ...sections.flatMap(({ heading, lines }) => [heading, ...lines])].join('\n');
}

const unknown = (one: Parameters<typeof explain>[0]): string => explain(one).unknown.join('\n');

test('it tells who asked, how that is known, and that a machine asked for a person', () => {
  const automation = attested('automation/tenure', { kind: 'automation', owner: 'ada@example.com', groups: [] });
  const request = {
    id: 'r-9',
    kind: 'rotate' as const,
    requester: 'automation/tenure',
    onBehalfOf: 'grace@example.com',
    ticket: 'OPS-7',
  };
  const text = told(record({ requester: automation, request }));
  expect(text).toContain('automation/tenure asked for it (request r-9).');
  expect(text).toContain('on behalf of grace@example.com');
  expect(text).toContain('It belongs to OPS-7');
  expect(text).toContain(
    'an automation in no group, for which ada@example.com answers, with the key SHA256:abc, a key in software',
  );
});

test('a person for whom an automation asked is told also where only the signed statement names them', () => {
  const statement = { typ: 'tenure/request@v1', onBehalfOf: 'grace@example.com' };
  const request = { id: 'r-9', kind: 'rotate' as const, requester: 'automation/tenure', signed: signed(statement) };
  expect(told(record({ request }))).toContain('on behalf of grace@example.com');
});

test('a requester without a verified signature is said to be a claim, and one who signed for another is named', () => {
  const { requester: _none, ...unsigned } = record();
  expect(told(unsigned)).toContain('the name is what was claimed');
  expect(unknown(unsigned)).toContain('Who really asked');
  expect(unknown(record())).not.toContain('Who really asked');
  expect(told(record())).not.toContain('The request names');
  expect(told(record({ requester: attested('mallory@example.com') }))).toContain(
    'The request names ada@example.com, but mallory@example.com signed it.',
  );
});

test('each rule that asked for people is named with its reason and its controls, and what grew is listed', () => {
  const rule = {
    id: 'gate.production',
    why: 'production',
    controls: ['800-53:AC-3(2)'],
    approvals: 2,
    groups: ['security'],
    stepUp: true,
  };
  const facts = { there: ['x differs'], growth: ['delete on ledger'], unused: ['insert on old'], exceptions: ['e-1'] };
  const obligations = { approvals: 2, gateMs: 1, gates: [rule], review: { people: 2, withinMs: 86_400_000 } };
  const text = told(record({ decision: decision({ effect: 'allow', obligations, facts }) }));
  expect(text).toContain(
    'gate.production asked for 2 approvals, from security, each with a security key that is touched and unlocked: production [800-53:AC-3(2)]',
  );
  for (const line of [
    'delete on ledger',
    'insert on old',
    'x differs',
    'e-1',
    'a review afterwards, by 2 people within 1 d',
  ])
    expect(text).toContain(line);
});

test('each vote is told with its time after the opening, its key, its group and the delegation that it used', () => {
  const delegation = signed({
    typ: 'tenure/delegation@v1', id: 'd-1', from: 'grace@example.com', to: 'hopper@example.com', reason: 'on leave',
    nbf: '2026-02-27T00:00:00.000Z', exp: '2026-03-05T00:00:00.000Z',
  }); // prettier-ignore
  const votes = [
    vote('grace@example.com', { reason: 'checked' }),
    vote('hopper@example.com', {
      stepUp: false,
      onBehalfOf: 'grace@example.com',
      ballot: { signed: signed({}), delegation },
    }),
  ];
  const text = told(record({ gate: gate({ votes, escalatedTo: 'management' }) }));
  expect(text).toContain(
    'grace@example.com approved at 2026-03-01 12:00:13Z, 12.0 s after it opened, with a security key, touched and unlocked (SHA256:grace), for security: checked',
  );
  expect(text).toContain('hopper@example.com approved');
  expect(text).toContain('with a key that proves no step-up');
  expect(text).toContain(
    'on behalf of grace@example.com, whose delegation d-1 holds from 2026-02-27 00:00:00Z to 2026-03-05 00:00:00Z (on leave)',
  );
  expect(text).toContain('management was asked too');
  expect(unknown(record({ gate: gate({ votes }) }))).toContain('read and understood what they signed');
  expect(unknown(record())).not.toContain('read and understood what they signed');
});

test('what did not count at the gate is told with its reason, in the round that it was sent to', () => {
  const refused = [
    { at: '2026-03-01T12:00:05.000Z', claimed: 'mallory@example.com', reason: 'the key is not in the directory' },
  ];
  const first = gate({ refused, outcome: 'open' });
  const second = gate({ number: 2, reopened: 'the policies have changed.', votes: [vote('grace@example.com')] });
  const text = told(record({ gate: second, rounds: [first] }));
  expect(text).toContain('Round 1 opened at');
  expect(text).toContain(
    'Did not count, at 2026-03-01 12:00:05Z: a vote that claims to be of mallory@example.com: the key is not in the directory',
  );
  expect(text).toContain('It was opened anew because the policies have changed.');
});

test('an approval in advance is told, and that no gate was opened', () => {
  const advance = [
    signed({
      typ: 'tenure/advance@v1',
      id: 'a-1',
      approver: 'grace@example.com',
      iat: '2026-03-01T00:00:00.000Z',
      exp: '2026-03-02T00:00:00.000Z',
      reason: 'migration',
    }),
  ];
  const request = { id: 'r', kind: 'rotate' as const, requester: 'ada@example.com', advance };
  const said =
    'grace@example.com had approved in advance (a-1, from 2026-03-01 00:00:00Z to 2026-03-02 00:00:00Z): migration.';
  const text = told(record({ request }));
  expect(text).toContain(`${said} It did not hold for this, and did not count.`);
  const spared = { id: 'production', why: 'it asks', controls: [], approvals: 1, groups: [], stepUp: false };
  const held = { id: 'a-1', approver: 'grace@example.com', groups: [], key: 'SHA256:grace', stepUp: false };
  const inAdvance = { approvals: [held], spared: [spared], directory: 'sha256:0' };
  expect(told(record({ request, decision: decision({ inAdvance }) }))).toContain(
    `${said} It held, and policy counted it for production.`,
  );
  expect(text).toContain('No gate was opened.');
});

test('proofs are told as sentences: accepted, out of use, disabled, refused, lent and taken back', () => {
  const at = '2026-03-01T12:00:30.000Z';
  const accepted = { principal: 'payments-db_a', at, answer: 'logged in as payments-db_a', excess: [], missing: [] };
  const text = told(
    record({
      proofs: {
        accepted,
        drained: {
          principal: 'payments-db_b',
          sessions: 1,
          at,
          who: ['10.0.0.7, billing, since 2026'],
          drained: false,
          waitedMs: 4_000,
        },
        retired: { principals: ['payments-db_b'], at, sessionsEnded: 1 },
        refused: [{ principal: 'payments-db_b', at, code: '28P01', answer: 'no', control: 'payments-db_a' }],
        elevated: {
          incident: 'INC-1',
          from: at,
          until: '2026-03-01T13:00:30.000Z',
          endedAt: at,
          endedBy: 'given back by ada@example.com',
          restored: accepted,
        },
      },
    }),
  );
  expect(text).toContain('logged in as payments-db_a, with exactly the declared rights.');
  expect(text).toContain('was still used by 1 session');
  expect(text).toContain('Seen using it: 10.0.0.7, billing, since 2026');
  expect(text).toContain('Disabled at 2026-03-01 12:00:30Z: payments-db_b; 1 session ended.');
  expect(text).toContain('payments-db_b with 28P01 (no), while payments-db_a was let in at the same moment.');
  expect(text).toContain('It ended at 2026-03-01 12:00:30Z: given back by ada@example.com.');
});

test('what the target recorded of the use of rights is told, also that it could not be read', () => {
  const withUse = (use: UseProof): string =>
    told(record({ proofs: { accepted: { ...record().proofs.accepted!, use } } }));
  const unused = [{ right: 'delete on ledger', since: '2026-01-01T00:00:00.000Z' }];
  expect(withUse({ known: true, unused })).toContain(
    'By the target’s record of use, nobody used this since 2026-01-01 00:00:00Z: delete on ledger',
  );
  expect(withUse({ known: true, unused: [] })).toContain('none of these rights has been unused for as long as');
  expect(withUse({ known: false, why: 'no extension is there' })).toContain(
    'Which of these rights are used is not known: no extension is there.',
  );
  expect(told(record())).not.toMatch(/record of use|rights are used/);
});

test('what changed tells what was declared otherwise, as the gate had shown it, where it was carried out', () => {
  const is = record().plan!;
  const before = { ...is, owner: 'dan@example.com', consumers: [] };
  const plan = { ...is, before, consumers: [{ name: 'api', notify: { command: ['/bin/reload'] } }] };
  const text = told(record({ plan }));
  expect(text).toContain(`Declared otherwise: owner changes: ${is.owner} (until now dan@example.com)`);
  expect(text).toContain('Declared otherwise: consumers changes: api (runs ["/bin/reload"]) (until now none)');
  expect(told(record({ plan, outcome: 'undone' }))).not.toContain('Declared otherwise');
});

test('what changed names the new credential by reference, the one that is gone, and rights that changed', () => {
  const plan = { ...record().plan!, to: { target: 'ledger-db', scope: { a: 2 }, deliver: [] } };
  const text = told(record({ plan }));
  expect(text).toContain(
    'New: payments-db_a at ledger-db, version nhi/payments-db/rotate/3, fingerprint 00112233aabbccdd, delivered to no store.',
  );
  expect(text).toContain('Its rights: {"a":2}');
  expect(text).toContain('The rights before: {"a":1}');
  expect(text).toContain('Gone: payments-db_b at ledger-db, version nhi/payments-db/rotate/2.');
  const kept = record({
    after: { current: credential('nhi/payments-db/rotate/2', 'payments-db_b') },
    outcome: 'undone',
  });
  expect(told(kept)).toContain('Nothing: everything was put back.');
  expect(told(record({ kind: 'validate' }))).toContain('Nothing: it only looked.');
});

test('a failure is told with its code, where it stopped, and what it left', () => {
  const stages = [
    { name: 'plan' as const, status: 'done' as const },
    { name: 'verify' as const, status: 'failed' as const, note: 'refused' },
  ];
  const failure = { code: 'UnwindFailed' as const, message: 'a login is left' };
  const text = told(record({ outcome: 'unfinished', stages, failure, leftovers: ['payments-db_a at ledger-db'] }));
  expect(text).toContain('failed, and left something');
  expect(text).toContain('The stage "verify" ended as failed: refused');
  expect(text).toContain('It failed with UnwindFailed: a login is left');
  expect(text).toContain('Left behind: payments-db_a at ledger-db');
});

test('what this record lacks is among what it cannot tell', () => {
  const { history: _history, permit: _permit, ...bare } = record({ proofs: {} });
  const text = unknown(bare);
  for (const part of ['cannot be replayed', 'no permit for it was found', 'Whether the old credential is refused']) {
    expect(text).toContain(part);
    expect(unknown(record())).not.toContain(part);
  }
  expect(unknown(record({ request: { ...record().request, emergency: true } }))).toContain(
    'Whether the emergency was one',
  );
  expect(unknown(record())).toContain('before the log began');
  expect(unknown(record())).toContain('Who used the credential');
});

test('a statement that cannot be read is passed over and nothing is made up from it', () => {
  const broken = { statement: 'no json', signature: '' };
  const request = { id: 'r', kind: 'rotate' as const, requester: 'ada@example.com', signed: broken, advance: [broken] };
  expect(told(record({ request }))).not.toContain('on behalf of');
  const votes = [vote('hopper@example.com', { onBehalfOf: 'grace@example.com', planDigest })];
  expect(told(record({ gate: gate({ votes }) }))).toContain('by a delegation that is not in the record');
});
