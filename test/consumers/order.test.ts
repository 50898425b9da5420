import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findConsumerCycle, prerequisites } from '../../src/consumers/order.js';

describe('the order of consumers', () => {
  it.each([
    ['none', {}, undefined],
    ['a chain', { a: [], b: ['a'], c: ['b'] }, undefined],
    ['a diamond', { a: [], b: ['a'], c: ['a'], d: ['b', 'c'] }, undefined],
    ['a name that is nobody’s', { a: ['ghost'] }, undefined],
    ['one that waits for itself', { a: ['a'] }, ['a', 'a']],
    ['two that wait for each other', { a: ['b'], b: ['a'] }, ['a', 'b', 'a']],
    ['a ring behind a chain', { a: ['b'], b: ['c'], c: ['d'], d: ['b'] }, ['b', 'c', 'd', 'b']],
  ])('finds the ring in %s', (_, graph, ring) => {
    const consumers = Object.entries(graph).map(([name, after]) => ({ name, after }));
    expect(findConsumerCycle(consumers)).toEqual(ring);
  });

  it('is found for any graph exactly when not all can be told one after the other', () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const edges = fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names)), { maxLength: 9 });
    fc.assert(
      fc.property(edges, (pairs) => {
        const consumers = names.map((name) => ({
          name,
          after: pairs.filter(([to]) => to === name).map(([, from]) => from),
        }));
        const ring = findConsumerCycle(consumers);
        expect(ring === undefined).toBe(canAllBeTold(consumers));
        for (const [index, name] of (ring ?? []).slice(0, -1).entries()) {
          expect(consumers.find((consumer) => consumer.name === name)!.after).toContain(ring![index + 1]);
        }
      }),
    );
  });

  it('counts a prerequisite that is not asked now as one that has acknowledged', () => {
    expect(prerequisites({ name: 'b', after: ['a', 'gone'] }, [{ name: 'a' }, { name: 'b' }])).toEqual(['a']);
  });
});

function canAllBeTold(consumers: { name: string; after: string[] }[]): boolean {
  const told = new Set<string>();
  for (let round = 0; round < consumers.length; round += 1) {
    for (const { name, after } of consumers) if (after.every((earlier) => told.has(earlier))) told.add(name);
  }
  return told.size === consumers.length;
}
