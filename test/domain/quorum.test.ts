/** Whether a gate has what it needs, as tables. How votes get into it: `tally.test.ts`. */
import { describe, expect, test } from 'vitest';
import type { ProcessPlan } from '../../src/domain/plan.js';
import type { GateState, Vote } from '../../src/domain/process.js';
import { groupsFor, isOf, missing, missingInWords, settled } from '../../src/domain/quorum.js';
import { gateOf, voteOf } from '../support/gates.js';

const by = (approver: string, ...groups: string[]): Vote => voteOf(approver, { groups });
const forOther = (approver: string, onBehalfOf: string, ...groups: string[]): Vote =>
  voteOf(approver, { groups, onBehalfOf });
const denied = (approver: string): Vote => voteOf(approver, { decision: 'deny' });
const touched = (vote: Vote): Vote => ({ ...vote, stepUp: true });

describe('I6: a gate', () => {
  const security = { groups: ['security'] };
  const second = { groups: ['owner', 'security'], escalatedTo: 'platform' };
  const rows: readonly (readonly [string, Partial<GateState>, readonly Vote[], 'open' | 'approved' | 'denied'])[] = [
    ['without votes is open', {}, [], 'open'],
    ['has the approval that it needs', {}, [by('grace')], 'approved'],
    ['has one of two', { needed: 2 }, [by('grace')], 'open'],
    ['has two of two', { needed: 2 }, [by('grace'), by('alan')], 'approved'],
    ['does not count a delegate beside the lender', { needed: 2 }, [by('cyd'), forOther('bob', 'cyd')], 'open'],
    ['does not count a delegate before the lender', { needed: 2 }, [forOther('bob', 'cyd'), by('cyd')], 'open'],
    ['does not count two for one', { needed: 2 }, [forOther('bob', 'cyd'), forOther('dan', 'cyd')], 'open'],
    ['counts delegates of two', { needed: 2 }, [forOther('bob', 'cyd'), forOther('dan', 'eve')], 'approved'],
    ['has more than it needs', {}, [by('grace'), by('alan')], 'approved'],
    ['is denied by one', {}, [denied('eve')], 'denied'],
    ['is denied by one, however many approve', {}, [by('grace'), by('alan'), denied('eve')], 'denied'],
    ['wants somebody of a group, and nobody else will do', security, [by('grace', 'platform')], 'open'],
    ['has somebody of the group', security, [by('grace', 'security')], 'approved'],
    ['has somebody of the group, and one too few', { ...security, needed: 2 }, [by('grace', 'security')], 'open'],
    [
      'has enough people and none of the group',
      { ...security, needed: 2 },
      [by('grace', 'platform'), by('alan')],
      'open',
    ],
    ['takes either of two groups', { groups: ['owner|team'] }, [by('grace', 'team')], 'approved'],
    ['wants both groups', { groups: ['owner', 'security'] }, [by('grace', 'owner')], 'open'],
    [
      'takes one person for both groups',
      { groups: ['owner', 'security'] },
      [by('grace', 'owner', 'security')],
      'approved',
    ],
    ['takes the second group for all others, once it was asked', second, [by('rosa', 'platform')], 'approved'],
    ['takes the second group for no number of people', { ...second, needed: 2 }, [by('rosa', 'platform')], 'open'],
    ['does not take it before it was asked', { groups: ['security'] }, [by('rosa', 'platform')], 'open'],
    ['was escalated, and the first groups will still do', second, [by('a', 'owner'), by('b', 'security')], 'approved'],
    ['counts no denial as somebody of a group', security, [voteOf('eve', { decision: 'deny', ...security })], 'denied'],
    ['wants a security key', { stepUp: true }, [by('grace')], 'open'],
    ['has a security key', { stepUp: true }, [touched(by('grace'))], 'approved'],
    [
      'wants the group by a security key',
      { stepUp: true, ...security },
      [by('grace', 'security'), touched(by('alan'))],
      'open',
    ],
    ['is denied without a security key too', { stepUp: true }, [denied('eve')], 'denied'],
  ];
  test.each(rows)('%s', (_, differs, votes, expected) => {
    expect(settled(gateOf({ ...differs, votes }))).toBe(expected);
  });
});

describe('what is missing', () => {
  const rows: readonly (readonly [Partial<GateState>, readonly string[]])[] = [
    [{ votes: [by('grace')] }, []],
    [{}, ['1 more approval']],
    [{ needed: 3, votes: [by('grace')] }, ['2 more approvals']],
    [{ needed: 2, stepUp: true, votes: [by('grace')] }, ['2 more approvals with a security key']],
    [
      { groups: ['security', 'owner|team'] },
      ['1 more approval from somebody of each of these, or one from each: security; owner or team'],
    ],
    [{ groups: ['owner|team'] }, ['1 more approval, from owner or team']],
    [
      { needed: 2, groups: ['security', 'owner'] },
      ['2 more approvals, among them one from security and one from owner'],
    ],
    [{ groups: ['security', 'owner'], votes: [by('grace', 'owner')] }, ['1 more approval, from security']],
    [{ groups: ['a|b|c'], votes: [by('grace')] }, ['1 more approval, from a or b or c']],
    [{ groups: ['security'], escalatedTo: 'platform', votes: [by('grace')] }, ['1 more approval, from security']],
  ];
  test.each(rows)('%o: %o', (differs, phrases) => {
    const gate = gateOf(differs);
    expect(missing(gate)).toBe(phrases[0]);
    expect(missingInWords(gate)).toBe(phrases.length === 0 ? 'needs nothing more' : `needs ${phrases.join(', ')}`);
  });

  test('is nothing exactly where the gate is approved, unless it is denied', () => {
    const gate = gateOf({ needed: 2, votes: [by('grace'), by('alan')] });
    expect([settled(gate), missing(gate)]).toEqual(['approved', undefined]);
    expect(settled({ ...gate, votes: [...gate.votes, denied('eve')] })).toBe('denied');
  });
});

test.each([
  [['security'], 'security', true],
  [['team'], 'owner|team', true],
  [['security'], 'owner|team', false],
  [['team'], 'owner|teams', false],
  [['owner|team'], 'owner|team', false],
  [[], 'security', false],
])('%j is of %s: %s', (groups, asked, expected) => {
  expect(isOf(groups, asked)).toBe(expected);
});

describe('the groups that somebody decides for', () => {
  const plan = (team?: string): Pick<ProcessPlan, 'owner' | 'declared'> => ({
    owner: 'ada',
    declared: { kind: 'workload', tags: {}, ...(team !== undefined && { team }) },
  });
  const rows: readonly (readonly [string, string, readonly string[], ReturnType<typeof plan>, readonly string[]])[] = [
    ['are those of the directory', 'grace', ['security', 'dba'], plan('payments'), ['security', 'dba']],
    ['have the role of owner for who owns it', 'ada', ['dba'], plan('payments'), ['dba', 'owner']],
    ['have the role of team for who is in its team', 'grace', ['payments'], plan('payments'), ['payments', 'team']],
    ['have both roles', 'ada', ['payments'], plan('payments'), ['payments', 'owner', 'team']],
    ['have no role of a group that is called like one', 'eve', ['owner', 'team'], plan('payments'), []],
    ['have no role of team where its team is called so', 'eve', ['team'], plan('team'), []],
    ['have no role of team where it has none', 'grace', ['payments'], plan(), ['payments']],
    ['have no role of team where nothing is declared', 'ada', ['payments'], { owner: 'ada' }, ['payments', 'owner']],
  ];
  test.each(rows)('%s', (_, name, groups, of, expected) => {
    expect(groupsFor({ name, groups }, of)).toEqual(expected);
  });
});
