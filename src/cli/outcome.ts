/** What is said at the end of a process, and the exit code that goes with it. */
import type { ProcessKind, ProcessSummary, Proofs } from '../domain/process.js';
import { nextCommands } from './errors.js';
import type { Followed } from './follow.js';
import { exitCodes } from './io.js';
import type { Output } from './output.js';
import { count } from './words.js';
import { span } from '../domain/span.js';

/** The end in words, on the right stream; gives the exit code. */
export function tellEnd(out: Output, identity: string, followed: Followed): number {
  switch (followed.how) {
    case 'ended':
      return tellResult(out, identity, followed);
    case 'parked':
      return tellParked(out, identity, followed);
    case 'left':
      return tellLeft(out, identity, followed);
    case 'stopped':
      return tellStopped(out, identity, followed);
    case 'settled':
      return tellSettled(out, identity, followed.summary);
    default:
      return followed satisfies never;
  }
}

function tellResult(out: Output, identity: string, { result, state }: Extract<Followed, { how: 'ended' }>): number {
  const took = span(Date.parse(result.endedAt) - Date.parse(result.startedAt));
  if (result.outcome === 'succeeded') {
    const drift = result.proofs.drift ?? [];
    const verdict =
      result.kind === 'validate' && drift.length > 0 ? `found ${count(drift.length, 'difference')}` : 'succeeded';
    out.say(`${out.paint.green(`${identity}: ${result.kind} ${verdict}`)} in ${took} (${result.operation})`);
    for (const line of proofLines(result.proofs)) out.say(`  ${line}`);
    if (result.after.current)
      out.say(
        `  current: ${result.after.current.principal} at ${result.after.current.target}, version ${result.after.current.version}`,
      );
    if (result.evidence) out.say(`  evidence: ${result.evidence}`);
    return result.kind === 'validate' && drift.length > 0 ? exitCodes.failure : exitCodes.success;
  }
  const isInVain = result.outcome === 'undone' && state?.emergency === true;
  const meaning = {
    undone: undoneInWords(result.kind),
    unfinished: 'failed and left something',
    'pre-empted': 'was pre-empted by an emergency',
  };
  out.note(
    `${out.paint.red(`${identity}: ${result.kind} ${meaning[result.outcome]}`)} after ${took} (${result.operation})`,
  );
  if (result.failure) out.note(`  ${result.failure.code}: ${result.failure.message}`);
  for (const leftover of result.leftovers) out.note(`  left: ${leftover}`);
  if (isInVain) out.note(`  ${inVain}`);
  const next = result.failure ? nextCommands(result.failure.code, identity) : [`tenure history ${identity}`];
  for (const command of isInVain ? afterInVain(identity) : next) out.note(`  next: ${out.paint.bold(command)}`);
  return exitCodes.failure;
}

/** A revocation takes nothing back: where it is undone it had not begun. What it has stopped before is no more as it was. */
export function undoneInWords(kind: ProcessKind): string {
  return kind === 'revoke'
    ? 'failed before it changed anything: what it was to end is still accepted'
    : 'failed and was undone: everything is as before';
}

/** An emergency stops what runs before it is decided on itself. */
export const inVain =
  'what ran when it was declared was stopped all the same, and what that had begun is left: nobody takes it back by itself';

/** What leads on from there. */
export function afterInVain(identity: string): readonly string[] {
  return [`tenure show ${identity}`, `tenure revoke ${identity} --now`, `tenure validate ${identity}`];
}

/** The proofs of a process, one sentence each. */
export function proofLines(proofs: Proofs): string[] {
  const { accepted, drained, retired } = proofs;
  return [
    ...(accepted ? [`accepted: ${accepted.answer}`] : []),
    ...(drained
      ? [
          `${drained.drained ? 'out of use' : 'still in use'} after ${span(drained.waitedMs)}: ${count(drained.sessions, 'session')}`,
        ]
      : []),
    ...(retired
      ? [`disabled: ${retired.principals.join(', ') || 'nothing'}; ${count(retired.sessionsEnded, 'session')} ended`]
      : []),
    ...(proofs.refused ?? []).map(
      (proof) => `refused: ${proof.principal} with ${proof.code} (${proof.answer}), while ${proof.control} was let in`,
    ),
    ...(proofs.acknowledged ?? []).map((answer) => `consumer ${answer.consumer}: ${answer.status} (${answer.detail})`),
    ...(proofs.drift ?? []).map((drift) => `${drift.problem} ${drift.what}: ${drift.detail}`),
    ...elevationLines(proofs),
    ...(proofs.gone ?? []).map((sentence) => `gone: ${sentence}`),
  ];
}

function elevationLines({ elevated }: Proofs): string[] {
  if (!elevated) return [];
  const { from, until, incident, endedAt, endedBy, restored } = elevated;
  return [
    `lent for ${incident} from ${from}, at the longest until ${until}`,
    ...(endedAt === undefined ? [] : [`ended at ${endedAt}: ${endedBy ?? 'it was taken back'}`]),
    ...(restored ? [`the declared rights alone: ${restored.answer}`] : []),
  ];
}

function tellStopped(out: Output, identity: string, followed: Extract<Followed, { how: 'stopped' }>): number {
  const why = followed.state?.failure?.message ?? followed.message;
  out.complain({
    code: 'Conflict',
    message: `${identity}: ${followed.operation} was stopped: ${why}`,
    next: [`tenure show ${identity}`, `tenure history ${followed.operation}`],
    exitCode: exitCodes.failure,
  });
  return exitCodes.failure;
}

function tellSettled(out: Output, identity: string, { kind, outcome, code, message }: ProcessSummary): number {
  if (outcome === 'succeeded') {
    out.say(`${out.paint.green(`${identity}: ${kind} succeeded`)}`);
    return exitCodes.success;
  }
  const next = code ? nextCommands(code, identity) : [`tenure show ${identity}`];
  out.complain({
    code: code ?? 'Unexpected',
    message: `${identity}: ${kind} was ${outcome}: ${message ?? 'no reason was given'}`,
    next,
    exitCode: exitCodes.failure,
  });
  return exitCodes.failure;
}

function tellParked(out: Output, identity: string, followed: Extract<Followed, { how: 'parked' }>): number {
  const parked = followed.state.parked!;
  out.note(
    `${out.paint.yellow(`${identity}: ${followed.state.kind} is parked at ${parked.stage}`)} and needs a person: ${parked.why}`,
  );
  for (const command of parked.commands) out.note(`  next: ${out.paint.bold(command)}`);
  return exitCodes.failure;
}

function tellLeft(out: Output, identity: string, followed: Extract<Followed, { how: 'left' }>): number {
  const what = followed.operation ?? 'the request';
  out.note(
    `${identity}: ${what} goes on by itself${followed.why === 'timeout' ? '; the time to wait for it is over' : ''}`,
  );
  out.note(`  next: ${out.paint.bold(`tenure show ${identity}`)}`);
  return followed.why === 'interrupted' ? exitCodes.interrupted : exitCodes.failure;
}

/** The end as data, for `--json`. */
export function endDocument(identity: string, followed: Followed): Record<string, unknown> {
  const { how, operation } = followed;
  return {
    identity,
    operation: operation ?? null,
    end: how === 'left' ? followed.why : how,
    ...(how === 'ended' && { result: followed.result }),
    ...(how === 'stopped' && { message: followed.message }),
    ...(how === 'settled' && { summary: followed.summary }),
    ...(how === 'parked' && { parked: followed.state.parked }),
    ...('state' in followed && followed.state && { stages: followed.state.stages }),
  };
}
