/** An ordered search: each place gives a path or says why it can't, and the next one is asked. */
import { TenureError } from '../domain/errors.js';
import type { Progress } from './progress.js';

/** What a place answers: where the program is, or why it is not to be had there. */
export type Answer = { readonly path: string } | { readonly miss: string };

/** A place where a program may be found or made. */
export interface Source {
  /** As it reads after "next:". */
  readonly title: string;
  /** Takes noticeable time: from here on a person hears about every miss. */
  readonly slow?: boolean;
  find(progress: Progress): Promise<Answer>;
}

/**
 * Asks one source after the other. While answers are quick nothing is said; before the first slow one, every miss so far
 * is told, so that a wait explains itself.
 *
 * @throws TenureError `InvalidRequest` with every miss and `remedies` when no source has it.
 */
export async function firstOf(
  program: string,
  sources: readonly Source[],
  remedies: readonly string[],
  progress: Progress,
): Promise<string> {
  const misses: string[] = [];
  let untold = 0;
  for (const source of sources) {
    if (source.slow) {
      for (const miss of misses.slice(untold)) progress.note(`${program}: ${miss}`);
      untold = misses.length;
      progress.note(`${program}: next, ${source.title}`);
    }
    const answer = await source.find(progress);
    if ('path' in answer) return answer.path;
    misses.push(answer.miss);
  }
  throw new TenureError('InvalidRequest', explain(program, misses, remedies), { program });
}

function explain(program: string, misses: readonly string[], remedies: readonly string[]): string {
  const list = (lines: readonly string[]) => lines.map((line) => `\n  - ${line}`).join('');
  return `${program} is not to be had:${list(misses)}\nAny one of these helps:${list(remedies)}`;
}
