import type { Consumer } from '../domain/identity.js';

type Ordered = Pick<Consumer, 'name' | 'after'>;

/** The first ring of consumers that wait for each other, e.g. `[a, b, a]` (a waits for b, b for a); undefined when there is none. */
export function findConsumerCycle(consumers: readonly Ordered[]): string[] | undefined {
  const after = new Map(consumers.map((consumer) => [consumer.name, consumer.after ?? []]));
  const free = new Set<string>();
  const follow = (name: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(name)) return [...trail.slice(trail.indexOf(name)), name];
    if (free.has(name)) return undefined;
    for (const earlier of after.get(name) ?? []) {
      const cycle = follow(earlier, [...trail, name]);
      if (cycle) return cycle;
    }
    free.add(name);
    return undefined;
  };
  for (const { name } of consumers) {
    const cycle = follow(name, []);
    if (cycle) return cycle;
  }
  return undefined;
}

/** Those of `after` that are in `consumers`: one that is not there has acknowledged before, or was never asked. */
export function prerequisites(consumer: Ordered, consumers: readonly Ordered[]): string[] {
  return (consumer.after ?? []).filter((earlier) => consumers.some(({ name }) => name === earlier));
}
