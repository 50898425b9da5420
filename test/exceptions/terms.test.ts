import { describe, expect, test } from 'vitest';
import { demandPossible, readTerms } from '../../src/exceptions/terms.js';
import { exceptionsSchema } from '../../src/exceptions/options.js';
import { termsOf } from '../support/exceptions.js';

const now = new Date('2026-06-01T00:00:00.000Z');
const dayMs = 86_400_000;
const settings = exceptionsSchema.parse({ commands: { yes: ['/bin/true'] } });
const until = (ms: number): string => new Date(now.getTime() + ms).toISOString();
const good = () => termsOf({ until: until(30 * dayMs) });

describe('terms', () => {
  test('that say everything are read as they are', () => {
    const terms = good();
    expect(readTerms(JSON.parse(JSON.stringify(terms)))).toEqual(terms);
  });

  test.each([
    ['nothing', undefined],
    ['another version', { ...good(), v: 2 }],
    ['an id that leads out of the folder', { ...good(), id: '../../permits/x' }],
    ['an id with a slash', { ...good(), id: 'a/b' }],
    ['no rule', { ...good(), rules: [] }],
    ['every rule', { ...good(), rules: ['*'] }],
    ['a rule with a wildcard', { ...good(), rules: ['rotation-*'] }],
    ['no control', { ...good(), controls: [] }],
    ['a control that is a sentence', { ...good(), controls: ['we are careful'] }],
    [
      'a control that brings its own program',
      { ...good(), controls: [{ kind: 'command', name: 'yes', command: ['/bin/true'] }] },
    ],
    ['a kind of control that nobody knows', { ...good(), controls: [{ kind: 'trust-me' }] }],
    ['a reason that says nothing', { ...good(), reason: 'needed' }],
    ['a reason of spaces', { ...good(), reason: ' '.repeat(40) }],
    ['no end', { ...good(), until: undefined }],
    ['an end that is no instant', { ...good(), until: 'never' }],
    ['an afterwards that does nothing', { ...good(), afterwards: 'nothing' }],
    ['a field that nobody knows', { ...good(), approved: true }],
  ])('with %s are refused', (_what, written) => {
    expect(() => readTerms(written)).toThrow(expect.objectContaining({ code: 'InvalidRequest' }));
  });
});

describe("the operator's rules", () => {
  const allowed =
    (differs: Parameters<typeof termsOf>[0], more = {}) =>
    () =>
      demandPossible({ ...good(), ...differs }, { ...settings, ...more }, now);

  test('let nothing pass that is over already', () => {
    expect(allowed({ until: until(1) })).not.toThrow();
    expect(allowed({ until: until(0) })).toThrow(expect.objectContaining({ code: 'InvalidRequest' }));
  });

  test('know every program that a control may run', () => {
    expect(allowed({ controls: [{ kind: 'command', name: 'other' }] })).toThrow(/no program is named other/);
    expect(allowed({ controls: [{ kind: 'command', name: 'constructor' }] })).toThrow(/no program is named/);
  });

  test('keep addresses with credentials out, other schemes, and hosts that are not named', () => {
    const http = (url: string) => ({ controls: [{ kind: 'http' as const, url, status: 200 }] });
    expect(allowed(http('http://user:word@a.example/'))).toThrow(/no credential/);
    expect(allowed(http('file:///etc/passwd'))).toThrow(/http or https/);
    expect(allowed(http('https://a.example/'))).toThrow(/a.example is none of exceptions.hosts/);
    expect(allowed(http('https://a.example:22/'), { hosts: ['a.example'] })).toThrow(/none of exceptions.hosts/);
    expect(allowed(http('https://a.example/'), { hosts: ['b.example'] })).toThrow(/none of exceptions.hosts/);
    expect(allowed(http('https://a.example/'), { hosts: ['a.example'] })).not.toThrow();
  });
});
