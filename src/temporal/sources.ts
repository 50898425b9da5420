/** An ordered search: each place gives a path or says why it can't, and the next one is asked. */
import path from 'node:path';
import { TenureError } from '../domain/errors.js';
import { packageRoot } from '../package-root.js';
import type { Progress } from './progress.js';

/** What a search looks at. A test sets another machine. */
export interface Machine {
  readonly env: NodeJS.ProcessEnv;
  /** The download service that Temporal's own SDKs use. */
  readonly service: string;
  /** Folder of the pinned modules that the project carries. */
  readonly tools: string;
  readonly progress: Progress;
}

/** This machine. */
export function thisMachine(progress: Progress): Machine {
  return { env: process.env, service: 'https://temporal.download', tools: path.join(packageRoot, 'tools'), progress };
}

/** What a place answers: where the program is, or why it is not to be had there. */
export type Answer = { readonly path: string } | { readonly miss: string };

/** A place where a program may be found or made. */
export interface Source {
  /** As it reads after "next:". */
  readonly title: string;
  /** Takes noticeable time: from here on a person hears about every miss. */
  readonly slow?: boolean;
  find(machine: Machine): Promise<Answer>;
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
  machine: Machine,
): Promise<string> {
  const { progress } = machine;
  const misses: string[] = [];
  let untold = 0;
  for (const source of sources) {
    if (source.slow) {
      for (const miss of misses.slice(untold)) progress.note(`${program}: ${miss}`);
      untold = misses.length;
      progress.note(`${program}: next, ${source.title}`);
    }
    const answer = await source.find(machine);
    if ('path' in answer) return answer.path;
    misses.push(answer.miss);
  }
  throw new TenureError('InvalidRequest', explain(program, misses, remedies), { program });
}

function explain(program: string, misses: readonly string[], remedies: readonly string[]): string {
  const list = (lines: readonly string[]) => lines.map((line) => `\n  - ${line}`).join('');
  return `${program} is not to be had:${list(misses)}\nAny one of these helps:${list(remedies)}`;
}
