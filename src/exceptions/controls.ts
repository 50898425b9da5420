/** Checks the compensating controls of an exception by running them. */
import type { Control, ControlResult, ExceptionTerms } from '../domain/exception.js';
import { controlInWords } from '../domain/exception.js';
import { TenureError } from '../domain/errors.js';
import type { ExceptionSettings } from './options.js';
import { runProgram } from './program.js';

/** What checks need of the identity. */
export interface Checking {
  readonly settings: Pick<ExceptionSettings, 'commands'>;
  /** How a validation of the identity ended that was asked for now: undefined where it succeeded, else why not. */
  validate(identity: string): Promise<string | undefined>;
  /** How many sessions use the identity's credential now. */
  sessions(identity: string): Promise<number>;
  readonly now: () => Date;
}

type Found = { readonly holds: boolean; readonly detail: string };

/** What one program or address may take, milliseconds. */
const patienceMs = 10_000;

/** Checks each of them, one after the other. Throws nothing: what cannot be found out does not hold, and says so. */
export async function checkControls(terms: ExceptionTerms, checking: Checking): Promise<ControlResult[]> {
  const results: ControlResult[] = [];
  for (const control of terms.controls) {
    const found = await check(control, terms, checking).catch(unknown);
    results.push({ control: controlInWords(control), ...found, at: checking.now().toISOString() });
  }
  return results;
}

function check(control: Control, terms: ExceptionTerms, checking: Checking): Promise<Found> {
  switch (control.kind) {
    case 'command':
      return byCommand(control.name, terms, checking);
    case 'http':
      return byHttp(control);
    case 'validate':
      return byValidation(terms.identity, checking);
    case 'sessions':
      return bySessions(terms.identity, control.atMost, checking);
  }
}

async function byCommand(name: string, { id, identity }: ExceptionTerms, { settings }: Checking): Promise<Found> {
  const command = Object.hasOwn(settings.commands, name) ? settings.commands[name] : undefined;
  if (!command) return { holds: false, detail: "the operator's file names no such program any more" };
  const end = await runProgram(command, { TENURE_IDENTITY: identity, TENURE_EXCEPTION: id }, patienceMs);
  return { holds: end === 0, detail: typeof end === 'number' ? `exit code ${end}` : end };
}

async function byHttp({ url, status }: Extract<Control, { kind: 'http' }>): Promise<Found> {
  try {
    // A redirect could lead to an address that nobody has approved.
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(patienceMs) });
    await response.body?.cancel();
    return { holds: response.status === status, detail: `answered ${response.status}` };
  } catch (error) {
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    return { holds: false, detail: isLate ? `no answer within ${patienceMs / 1_000} s` : 'cannot be reached' };
  }
}

async function byValidation(identity: string, { validate }: Checking): Promise<Found> {
  const why = await validate(identity);
  return { holds: why === undefined, detail: why ?? 'it succeeded' };
}

async function bySessions(identity: string, atMost: number, { sessions }: Checking): Promise<Found> {
  const count = await sessions(identity);
  return { holds: count <= atMost, detail: `${count} now` };
}

/** Of an unforeseen error its name alone: its message may hold anything. */
function unknown(error: unknown): Found {
  const why = error instanceof TenureError ? error.message : error instanceof Error ? error.name : typeof error;
  return { holds: false, detail: `could not be checked: ${why}` };
}
