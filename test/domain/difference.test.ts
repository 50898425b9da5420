import { describe, expect, test } from 'vitest';
import { beyondAmendment, differences, isSame, needsRotation } from '../../src/domain/difference.js';
import { specOf } from '../support/spec.js';

describe('two declarations', () => {
  test('are the same in another order of keys, rights and consumers', () => {
    expect(isSame({ a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 })).toBe(true);
    expect(isSame(undefined, null)).toBe(false);
    expect(
      differences(
        ['target'],
        { scope: { grants: [{ on: 'a' }, { on: 'b' }] } },
        { scope: { grants: [{ on: 'b' }, { on: 'a' }] } },
      ),
    ).toEqual([]);
  });

  test('are not in another order of deliveries, nor of the words of a command', () => {
    const [a, b] = [
      { store: 'local', path: 'a' },
      { store: 'local', path: 'b' },
    ];
    expect(differences(['deliver'], [a, b], [b, a])).toHaveLength(2);
    expect(differences(['consumers', 0, 'notify', 'command'], ['sh', 'x'], ['x', 'sh'])).toHaveLength(1);
  });

  test('differ field by field', () => {
    expect(differences([], specOf('app'), specOf('app', { purpose: 'another', tags: { a: 'b' } }))).toEqual([
      { path: ['purpose'], from: 'a test', to: 'another' },
      { path: ['tags', 'a'], from: undefined, to: 'b' },
    ]);
  });
});

describe('I6: what needs a new credential, and the policy that decides on it', () => {
  test.for([
    [['environment'], true],
    [['target', 'name'], true],
    [['target', 'scope', 'grants', 0], true],
    [['deliver', 0, 'path'], true],
    [['rotation', 'strategy'], true],
    [['rotation', 'graceMs'], true],
    [['rotation', 'whenInUse'], true],
    [['rotation', 'whenNoWindow'], true],
    [['rotation', 'whenNotTaken'], true],
    [['rotation', 'freeze'], true],
    [['rotation', 'freeze', 0, 'to'], true],
    [['rotation'], true],
    [['rotation', 'name'], false],
    [['rotation', 'cron'], false],
    [['rotation', 'cron', 'timezone'], false],
    [['rotation', 'window'], false],
    [['rotation', 'jitterMs'], false],
    [['purpose'], false],
    [['owner', 'person'], true],
    [['dataClass'], true],
    [['kind'], true],
    [['rotation', 'everyMs'], true],
    [['tags'], true],
    [['tags', 'target-environment'], true],
    [['tags', 'service'], true],
    [['owner', 'team'], true],
    [['consumers', 0], true],
    [['consumers', 0, 'notify', 'command', 0], true],
    [['tags', 'environment'], true],
  ] as const)('%j: %s', ([path, expected]) => {
    expect(needsRotation(path)).toBe(expected);
  });

  test('is named by the field', () => {
    expect(beyondAmendment(specOf('app'), specOf('app', { purpose: 'x' }))).toBeUndefined();
    expect(beyondAmendment(specOf('app'), specOf('app', { target: { name: 'db', scope: { may: ['x'] } } }))).toBe(
      'target.scope',
    );
  });
});
