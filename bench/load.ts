/** Load with a fixed number of things in flight, and what it took. */

export interface Measured {
  readonly count: number;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** Runs `work` for each of `items`, at most `concurrency` at the same time. The first failure ends it. */
export async function measure<T>(
  items: readonly T[],
  concurrency: number,
  work: (item: T, index: number) => Promise<unknown>,
): Promise<Measured> {
  const took: number[] = [];
  const queue = items.entries();
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (const [index, item] of queue) {
        const begin = performance.now();
        await work(item, index);
        took.push(performance.now() - begin);
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  took.sort((a, b) => a - b);
  return { count: took.length, perSecond: took.length / seconds, p50: quantile(took, 0.5), p99: quantile(took, 0.99) };
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
