import { describe, expect, test } from 'vitest';
import { exceptionId, parseExceptionId, suspensionsAfter, type Suspension } from '../../src/domain/exception.js';

const at = (day: number): string => `2030-01-0${day}T00:00:00.000Z`;
const open: Suspension = { from: at(1), why: 'a control failed' };
const over: Suspension = { ...open, to: at(2) };

describe('the suspensions of an exception', () => {
  test.each<[string, readonly Suspension[], 'active' | 'suspended', readonly Suspension[]]>([
    ['are none while its controls hold', [], 'active', []],
    ['begin with the first control that fails', [], 'suspended', [{ from: at(3), why: 'why' }]],
    ['go on', [open], 'suspended', [open]],
    ['end when the controls hold again', [open], 'active', [{ ...open, to: at(3) }]],
    ['may come again', [over], 'suspended', [over, { from: at(3), why: 'why' }]],
    ['stay as they were', [over], 'active', [over]],
  ])('%s', (_, before, status, after) => {
    expect(suspensionsAfter(before, { status, why: 'why' }, at(3))).toEqual(after);
  });

  test('are the last fifty, and each says why in few words', () => {
    const many = Array.from({ length: 50 }, () => over);
    const after = suspensionsAfter(many, { status: 'suspended', why: 'x'.repeat(600) }, at(3));
    expect(after).toHaveLength(50);
    expect(after.at(-1)).toEqual({ from: at(3), why: 'x'.repeat(500) });
  });
});

test('the id of an exception is in its workflow id, and in that of nothing else', () => {
  expect(parseExceptionId(exceptionId('app-1'))).toBe('app-1');
  expect(parseExceptionId('nhi/app')).toBeUndefined();
});
