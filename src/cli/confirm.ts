import { createInterface } from 'node:readline/promises';
import { usage } from './errors.js';
import type { Session } from './session.js';

/** Asks a person. Without one at a terminal, `--yes` has to say it. */
export async function confirm(session: Session, question: string, yes: boolean | undefined): Promise<boolean> {
  if (yes) return true;
  const { stdin, stdout, interrupted } = session.io;
  if (!stdin.isTTY || !stdout.isTTY || session.out.asJson)
    throw usage(`${question} There is nobody to ask: say --yes`, again(session, '--yes'));
  const prompt = createInterface({ input: stdin, output: stdout });
  try {
    const answer = await prompt.question(`${question} [y/N] `, { signal: interrupted });
    return /^y(es)?$/i.test(answer.trim());
  } catch {
    return false;
  } finally {
    prompt.close();
  }
}

/** The command as it was typed, ready to paste, with one more option. */
function again({ typed = [] }: Session, option: string): string {
  return ['tenure', ...typed.map(shellWord), option].join(' ');
}

function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
