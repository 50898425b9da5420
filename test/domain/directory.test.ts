import { describe, expect, test } from 'vitest';
import {
  findKey,
  holderOf,
  isValidAt,
  mayApprove,
  partyKinds,
  partyNamed,
  personsBehind,
  type Directory,
  type Party,
  type Period,
} from '../../src/domain/directory.js';

const [before, start, between, end] = ['2026-01-01', '2026-02-01', '2026-03-01', '2026-04-01'].map(
  (day) => `${day}T00:00:00.000Z`,
) as [string, string, string, string];

const party = (name: string, keyId: string, more: Partial<Party> = {}, period: Period = {}): Party => ({
  name,
  kind: 'person',
  groups: [],
  keys: [{ id: keyId, text: keyId, hardware: false, ...period }],
  ...more,
});

describe('a period', () => {
  test.each<[Period, string, boolean]>([
    [{}, before, true],
    [{ from: start }, before, false],
    [{ from: start }, start, true],
    [{ from: start }, between, true],
    [{ to: end }, between, true],
    [{ to: end }, end, false],
    [{ from: start, to: end }, before, false],
    [{ from: start, to: end }, start, true],
    [{ from: start, to: end }, end, false],
    [{ from: '2026-02-01T01:00:00+01:00' }, start, true],
  ])('%o holds at %s: %s', (period, now, holds) => {
    expect(isValidAt(period, new Date(now))).toBe(holds);
  });
});

describe('a key', () => {
  const directory: Directory = {
    parties: [
      party('ada', 'k1'),
      party('left', 'k2', { to: start }),
      party('lost', 'k3', {}, { to: start }),
      party('soon', 'k4', { from: end }),
    ],
    revoked: [],
  };

  test.each([
    ['k1', 'ada'],
    ['k2', undefined],
    ['k3', undefined],
    ['k4', undefined],
    ['k5', undefined],
  ])('%s is that of %s now', (id, holder) => {
    expect(holderOf(directory, id, new Date(between))?.name).toBe(holder);
  });

  test('is found with its party, whether they hold now or not', () => {
    expect(findKey(directory, 'k2')).toEqual({ party: directory.parties[1], key: directory.parties[1]!.keys[0] });
    expect(findKey(directory, 'k5')).toBeUndefined();
  });

  test('belongs to a party that is found by its exact name', () => {
    expect(partyNamed(directory, 'left')).toBe(directory.parties[1]);
    expect(partyNamed(directory, 'Left')).toBeUndefined();
  });
});

describe('a party', () => {
  test.each(partyKinds)('of kind %s may approve only as a person', (kind) => {
    expect(mayApprove({ kind })).toBe(kind === 'person');
  });

  test.each<[Parameters<typeof personsBehind>[0], readonly string[]]>([
    [{ name: 'ada', kind: 'person' }, ['ada']],
    [{ name: 'ci', kind: 'service', owner: 'ada' }, ['ada']],
    [{ name: 'bot', kind: 'agent', owner: 'grace' }, ['grace']],
    [{ name: 'nightly', kind: 'automation' }, []],
    [{ name: 'nightly', kind: 'automation', owner: 'ada', behind: ['grace'] }, ['ada', 'grace']],
    [{ name: 'ada', kind: 'person', behind: ['grace'] }, ['ada', 'grace']],
  ])('%o has behind it %o', (one, persons) => {
    expect(personsBehind(one)).toEqual(persons);
  });
});
