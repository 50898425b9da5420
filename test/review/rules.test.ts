/** Each rule at its threshold, and just below it: a rule that always or never speaks is none. */
import { describe, expect, test } from 'vitest';
import type { ProcessRecord } from '../../src/domain/evidence.js';
import { atLeast } from '../../src/review/review.js';
import {
  ago,
  dayMs,
  directoryWith,
  exceptionOf,
  found,
  now,
  of,
  personIn,
  recordOf,
  records,
  type Said,
} from './records.js';

const speaks = (rule: string, all: Parameters<typeof found>[0], differs = {}): string[] =>
  of(found(all, differs), rule).map(({ severity }) => severity);

test('nothing is found where nothing was done', () => {
  expect(found({})).toEqual([]);
});

test('ordinary work of several people is not told of', () => {
  const people = ['alan', 'grace', 'barbara', 'edsger'];
  const some = people.flatMap((approver, index) =>
    [1, 2, 3].map((week) =>
      recordOf({ approver, by: people[(index + 1) % 4]!, agoMs: week * 7 * dayMs + index * dayMs }),
    ),
  );
  expect(found({ records: some })).toEqual([]);
});

describe('the same pair', () => {
  const both: Said = { by: 'ada', approver: 'grace' };

  test('is told of from five approvals on, or from most of a requester’s', () => {
    expect(speaks('same-pair', { records: records(5, both) })).toEqual(['medium']);
    expect(speaks('same-pair', { records: records(4, both) })).toEqual(['low']);
    expect(speaks('same-pair', { records: records(3, both) })).toEqual([]);
    const shared = [...records(4, both), ...records(3, { ...both, approver: 'alan' })];
    expect(speaks('same-pair', { records: shared })).toEqual([]);
  });

  test('is counted over the period, and denials are no approvals', () => {
    expect(speaks('same-pair', { records: records(9, { ...both, agoMs: 31 * dayMs }) })).toEqual([]);
    expect(speaks('same-pair', { records: records(9, { ...both, decision: 'deny' }) })).toEqual([]);
  });

  test('comes with the operations that show it, and with the controls', () => {
    const all = records(5, both);
    expect(of(found({ records: all }), 'same-pair')[0]).toMatchObject({
      subject: 'ada, grace',
      evidence: expect.arrayContaining(all.map(({ operation }) => operation)),
      controls: expect.arrayContaining(['800-53:AC-5']),
    });
  });
});

describe('reciprocal approvals', () => {
  const there = (many: number) => records(many, { by: 'ada', approver: 'grace' });
  const back = (many: number) => records(many, { by: 'grace', approver: 'ada' });

  test('are told of once, from two each way on', () => {
    expect(speaks('reciprocal', { records: [...there(2), ...back(2)] })).toEqual(['high']);
    expect(speaks('reciprocal', { records: [...there(3), ...back(1)] })).toEqual([]);
    expect(speaks('reciprocal', { records: there(9) })).toEqual([]);
  });
});

describe('quick decisions', () => {
  const quick: Said = { approver: 'grace', after: 9_999 };

  test('are told of within ten seconds of the opening, and weigh more from three a week on', () => {
    expect(speaks('quick-decisions', { records: records(1, quick) })).toEqual(['low']);
    expect(speaks('quick-decisions', { records: records(3, quick) })).toEqual(['medium']);
    expect(
      speaks('quick-decisions', { records: [1, 9, 17].map((day) => recordOf({ ...quick, agoMs: day * dayMs })) }),
    ).toEqual(['low']);
    expect(speaks('quick-decisions', { records: records(3, { ...quick, after: 10_000 }) })).toEqual([]);
  });

  test('to deny are not told of: nothing happens then', () => {
    expect(speaks('quick-decisions', { records: records(3, { ...quick, decision: 'deny' }) })).toEqual([]);
  });

  test('of an earlier round count too', () => {
    const record = recordOf({ approver: 'grace' });
    const early = { ...record, rounds: [recordOf(quick).gate!] };
    expect(speaks('quick-decisions', { records: [early] })).toEqual(['low']);
  });
});

describe('the load of an approver', () => {
  const decisions = (many: number, apartMs: number) =>
    Array.from({ length: many }, (_, index) =>
      recordOf({ approver: 'grace', by: `r${index}`, agoMs: dayMs + index * apartMs }),
    );

  test('is told of beyond five in ten minutes, and weighs more beyond twenty a day', () => {
    expect(speaks('approver-load', { records: decisions(6, 60_000) })).toEqual(['low']);
    expect(speaks('approver-load', { records: decisions(5, 60_000) })).toEqual([]);
    expect(speaks('approver-load', { records: decisions(21, 3_600_000) })).toEqual(['medium']);
    expect(speaks('approver-load', { records: decisions(20, 3_600_000) })).toEqual([]);
  });
});

describe('somebody who never refuses', () => {
  const approvals = (many: number) => records(many, { approver: 'grace', agoMs: 40 * dayMs });

  test('is told of from fifty decisions without a denial on, however old they are', () => {
    expect(speaks('never-refuses', { records: approvals(50) })).toEqual(['low']);
    expect(speaks('never-refuses', { records: approvals(49) })).toEqual([]);
    const oneDenied = [...approvals(49), recordOf({ approver: 'grace', decision: 'deny' })];
    expect(speaks('never-refuses', { records: oneDenied })).toEqual([]);
  });
});

describe('approvals outside hours', () => {
  const hours = { hours: 'Mon-Fri 07:00-19:00 UTC' };
  const at = (instant: string) => recordOf({ approver: 'grace', agoMs: now.getTime() - Date.parse(instant) });

  test.each([
    ['2026-06-09T06:59:59Z', ['low']],
    ['2026-06-09T07:00:00Z', []],
    ['2026-06-09T18:59:59Z', []],
    ['2026-06-09T19:00:00Z', ['low']],
    ['2026-06-07T12:00:00Z', ['low']],
  ])('at %s: %j', (instant, severity) => {
    expect(speaks('outside-hours', { records: [at(instant)] }, hours)).toEqual(severity);
  });

  test('are within a window that opened the evening before', () => {
    const night = { hours: 'Mon 22:00-06:00 UTC' };
    expect(speaks('outside-hours', { records: [at('2026-06-09T05:00:00Z')] }, night)).toEqual([]);
    expect(speaks('outside-hours', { records: [at('2026-06-09T06:00:00Z')] }, night)).toEqual(['low']);
  });

  test('are not told of where no hours are named', () => {
    expect(speaks('outside-hours', { records: [at('2026-06-07T03:00:00Z')] })).toEqual([]);
  });
});

describe('growth in small steps', () => {
  const lastApproved = { operation: 'x', at: '', scopeDigest: '' } as never;
  const step = (right: string, agoMs = dayMs) => recordOf({ facts: { growth: [right], lastApproved }, agoMs });

  test('is told of from three steps on, with all that came together', () => {
    const all = [step('insert'), step('update'), step('delete')];
    expect(of(found({ records: all }), 'split-growth')[0]).toMatchObject({
      severity: 'high',
      subject: 'db',
      what: expect.stringContaining('delete, insert, update'),
    });
    expect(speaks('split-growth', { records: all.slice(1) })).toEqual([]);
  });

  test('is no growth where it is the first credential, where it failed, or where it is long ago', () => {
    const first = recordOf({ facts: { growth: ['select'] } });
    const failed = { ...step('update'), outcome: 'undone' as const };
    for (const other of [first, failed, step('update', 91 * dayMs)])
      expect(speaks('split-growth', { records: [step('insert'), step('delete'), other] })).toEqual([]);
  });
});

describe('unused entitlements', () => {
  const look = (unused: string[], day: number) => recordOf({ facts: { unused }, agoMs: day * dayMs });

  test('are told of from thirty days on, and weigh more from ninety on', () => {
    expect(speaks('unused-entitlements', { records: [look(['delete'], 30), look(['delete'], 1)] })).toEqual(['low']);
    expect(speaks('unused-entitlements', { records: [look(['delete'], 90), look(['delete'], 1)] })).toEqual(['medium']);
    expect(speaks('unused-entitlements', { records: [look(['delete'], 29), look(['delete'], 1)] })).toEqual([]);
  });

  test('count from when a use was last seen', () => {
    expect(
      speaks('unused-entitlements', { records: [look(['delete'], 90), look([], 20), look(['delete'], 1)] }),
    ).toEqual([]);
    expect(speaks('unused-entitlements', { records: [look(['delete'], 90), look([], 1)] })).toEqual([]);
  });

  /** A credential was verified on some day, and this right had not been used since another. */
  const verified = (day: number, sinceDay?: number, known = true) => {
    const unused = sinceDay === undefined ? [] : [{ right: 'delete', since: ago(sinceDay * dayMs) }];
    const use = known ? { known, unused } : { known, why: 'it is not recorded' };
    const { gate: _gate, decision: _decision, ...record } = recordOf({ agoMs: day * dayMs });
    return { ...record, proofs: { accepted: { use } } } as unknown as ProcessRecord;
  };

  test.each<[string, ProcessRecord[], string[]]>([
    ['one look is enough where the target knows since when', [verified(1, 31)], ['low']],
    ['the target knows since longer', [verified(1, 91)], ['medium']],
    ['not long enough', [verified(1, 29)], []],
    ['it was used meanwhile', [verified(60, 100), verified(30), verified(1, 20)], []],
    ['what does not look is no use', [verified(2, 31), { ...recordOf(), gate: undefined } as never], ['low']],
    ['what was not known may have been use', [verified(2, 31), verified(1, undefined, false)], []],
    ['unknown is never unused', [verified(100, undefined, false), verified(1, undefined, false)], []],
  ])('are read from what was verified: %s', (_what, records, severity) => {
    expect(speaks('unused-entitlements', { records })).toEqual(severity);
  });
});

describe('owners', () => {
  const identities = [{ name: 'db', owner: 'ada', status: 'active' }];
  const after = (ms: number): string => new Date(now.getTime() + ms).toISOString();

  test.each([
    ['who are in the directory', personIn('ada'), []],
    ['who left', personIn('ada', { to: now.toISOString() }), ['high']],
    ['who leave within two weeks', personIn('ada', { to: after(14 * dayMs) }), ['medium']],
    ['who leave later', personIn('ada', { to: after(14 * dayMs + 1) }), []],
    ['who have not come yet', personIn('ada', { from: after(1) }), ['medium']],
    ['who are no people', personIn('ada', { kind: 'service', owner: 'alan' }), ['high']],
    ['who are not in the directory', personIn('grace'), ['high']],
  ])('%s', (_what, party, severity) => {
    expect(
      of(found({ identities, directory: directoryWith(party, personIn('alan')) }), 'owner-left').map(
        (one) => one.severity,
      ),
    ).toEqual(severity);
  });

  test('of what is offboarded are not looked for, those of automations are', () => {
    expect(speaks('owner-left', { identities: [{ ...identities[0]!, status: 'offboarded' }] })).toEqual([]);
    const robot = personIn('robot', { kind: 'automation', owner: 'ada' });
    expect(speaks('owner-left', { directory: directoryWith(robot) })).toEqual(['high']);
  });
});

describe('exceptions', () => {
  const until = (ms: number): string => new Date(now.getTime() + ms).toISOString();

  test('are told of a week before their end', () => {
    expect(speaks('exception-near-expiry', { exceptions: [exceptionOf({ until: until(7 * dayMs) })] })).toEqual([
      'low',
    ]);
    expect(speaks('exception-near-expiry', { exceptions: [exceptionOf({ until: until(7 * dayMs + 1) })] })).toEqual([]);
    expect(speaks('exception-near-expiry', { exceptions: [exceptionOf({ until: until(0) })] })).toEqual([]);
  });

  test('are told of while they are suspended, and not when they have ended', () => {
    expect(speaks('exception-suspended', { exceptions: [exceptionOf({ status: 'suspended' })] })).toEqual(['medium']);
    expect(found({ exceptions: [exceptionOf({ status: 'ended', until: until(dayMs) })] })).toEqual([]);
  });

  test('that nobody checks any more are told of first, also when their time is over meanwhile', () => {
    const lapsed = { checkedAt: new Date(now.getTime() - 3 * 3_600_000).toISOString() };
    expect(speaks('exception-unchecked', { exceptions: [exceptionOf(lapsed)] })).toEqual(['high']);
    expect(speaks('exception-unchecked', { exceptions: [exceptionOf({ until: until(-1) })] })).toEqual(['high']);
    expect(speaks('exception-unchecked', { exceptions: [exceptionOf()] })).toEqual([]);
    expect(speaks('exception-unchecked', { exceptions: [exceptionOf({ ...lapsed, status: 'ended' })] })).toEqual([]);
  });

  test('that follow one another from one rule are told of', () => {
    const [before, after] = [exceptionOf({ status: 'ended' }), exceptionOf()];
    expect(speaks('exception-renewed', { exceptions: [before, after] })).toEqual(['medium']);
    expect(speaks('exception-renewed', { exceptions: [before, exceptionOf({ rules: ['another'] })] })).toEqual([]);
    expect(speaks('exception-renewed', { exceptions: [before, exceptionOf({ identity: 'other' })] })).toEqual([]);
  });
});

describe('reasons', () => {
  const copy = 'rotate the key for ticket';

  test('that are copied are told of, whatever the ticket', () => {
    const all = [1, 2, 3].map((ticket) => recordOf({ why: `Rotate the key for ticket ${ticket}.` }));
    expect(of(found({ records: all }), 'copied-reason')[0]).toMatchObject({
      subject: 'ada',
      evidence: all.map((one) => one.operation),
    });
    expect(speaks('copied-reason', { records: all.slice(1) })).toEqual([]);
  });

  test('of different people are not counted together, and those of automations not at all', () => {
    const shared = ['ada', 'grace', 'alan'].map((by) => recordOf({ by, why: copy }));
    expect(speaks('copied-reason', { records: shared })).toEqual([]);
    const robot = personIn('robot', { kind: 'automation', owner: 'ada' });
    const directory = directoryWith(robot, personIn('ada'));
    expect(speaks('copied-reason', { records: records(9, { by: 'robot', why: copy }), directory })).toEqual([]);
  });

  test('that say nothing are told of from three on', () => {
    const empty = ['as requested', 'LGTM!', 'ok'].map((why) => recordOf({ why }));
    expect(speaks('generic-reason', { records: empty })).toEqual(['low']);
    expect(speaks('generic-reason', { records: empty.slice(1) })).toEqual([]);
  });

  test('of decisions are looked at like those of requests', () => {
    expect(
      speaks('copied-reason', { records: records(3, { approver: 'grace', reason: 'I have looked at the plan' }) }),
    ).toEqual(['low']);
  });
});

describe('elevations', () => {
  const lent = (many: number, apart: number) =>
    Array.from({ length: many }, (_, index) =>
      recordOf({ kind: 'elevate', elevated: true, agoMs: (index + 1) * apart * dayMs }),
    );

  test('are told of beyond two within thirty days', () => {
    expect(speaks('frequent-elevations', { records: lent(3, 5) })).toEqual(['medium']);
    expect(speaks('frequent-elevations', { records: lent(2, 5) })).toEqual([]);
    expect(speaks('frequent-elevations', { records: lent(9, 31) })).toEqual([]);
  });

  test('that were asked for and never lent do not count', () => {
    expect(speaks('frequent-elevations', { records: records(9, { kind: 'elevate' }) })).toEqual([]);
  });
});

test('the weightiest come first, and a pipeline sees those of its severity and above', () => {
  const all = found({
    records: [
      ...records(2, { by: 'ada', approver: 'grace' }),
      ...records(2, { by: 'grace', approver: 'ada', after: 1 }),
    ],
    exceptions: [exceptionOf({ status: 'suspended' })],
  });
  expect(all.map(({ severity }) => severity)).toEqual(['high', 'medium', 'low']);
  expect([atLeast(all, 'low'), atLeast(all, 'medium'), atLeast(all, 'high')].map(({ length }) => length)).toEqual([
    3, 2, 1,
  ]);
});
