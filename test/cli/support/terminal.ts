/** Stands in for the surroundings of the command line. */
import { PassThrough } from 'node:stream';
import type { Io } from '../../../src/cli/io.js';

export interface Pretended {
  readonly io: Io;
  readonly interrupt: () => void;
  stdout(): string;
  stderr(): string;
}

/** Streams that remember; with `terminal`, ones that say that they are a terminal. */
export function pretend(
  given: { readonly terminal?: boolean; readonly env?: Record<string, string>; readonly cwd?: string } = {},
): Pretended {
  const interrupt = new AbortController();
  const [stdout, stderr, stdin] = [collector(given.terminal), collector(given.terminal), collector(given.terminal)];
  return {
    io: {
      stdin: stdin.stream,
      stdout: stdout.stream,
      stderr: stderr.stream,
      env: { ...given.env },
      cwd: given.cwd ?? process.cwd(),
      interrupted: interrupt.signal,
    },
    interrupt: () => interrupt.abort(),
    stdout: stdout.text,
    stderr: stderr.text,
  };
}

function collector(isTTY = false): { readonly stream: PassThrough & { isTTY: boolean }; readonly text: () => string } {
  const stream = Object.assign(new PassThrough(), { isTTY });
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { stream, text: () => Buffer.concat(chunks).toString() };
}
