/** What other people signed beforehand, as files. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Signed } from '../domain/statement.js';
import { usage } from './errors.js';
import type { Session } from './session.js';

/** What is expected in a file, and who makes one. */
export interface Expected {
  readonly option: string;
  readonly what: string;
  readonly maker: string;
}

/** Reads a signed statement. Whether it counts is for others to say. */
export async function readSigned({ io }: Session, file: string, expected: Expected): Promise<Signed> {
  try {
    const text = await readFile(resolve(io.cwd, file), 'utf8');
    const { statement, signature } = JSON.parse(text) as Partial<Signed>;
    if (typeof statement === 'string' && typeof signature === 'string') return { statement, signature };
  } catch {
    // Told below, like a file that holds something else.
  }
  const { option, what, maker } = expected;
  throw usage(`${option}: ${file} holds no ${what}; one is made with: ${maker}`, `${maker} --help`);
}
