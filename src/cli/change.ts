/** What the verbs share that ask an identity for a change: who asks, sending, following, the end. */
import type { Client } from '@temporalio/client';
import type { Command } from 'commander';
import type { ProcessState } from '../domain/process.js';
import type { ChangeRequest } from '../domain/request.js';
import type { Signed } from '../domain/statement.js';
import type { Signer } from '../trust/statements.js';
import { durationOption } from './durations.js';
import { CliError, nextCommands, noWorker } from './errors.js';
import { followProcess, turnOf, type Followed, type Patience, type View } from './follow.js';
import { ask, nameOf, newRequestId, stateOf } from './identities.js';
import { exitCodes } from './io.js';
import { stagesView } from './live.js';
import { endDocument, tellEnd } from './outcome.js';
import type { CommonOptions, Session } from './session.js';
import { readSigned } from './signed-files.js';
import { signerOf, signing, type SigningOptions } from './signing.js';
import { isWorked } from './workers.js';

export interface FollowOptions extends CommonOptions {
  readonly wait: boolean;
  readonly timeout?: number;
  /** The park that was answered just now, which the process may still show for a moment. */
  readonly answeredPark?: string;
}

export interface ChangeOptions extends FollowOptions, SigningOptions {
  readonly reason?: string;
  readonly ticket?: string;
  readonly requestId?: string;
  readonly advance?: readonly string[];
}

/** Adds the options of a verb that can follow a process. */
export function following(command: Command): Command {
  return command
    .option('--no-wait', 'do not follow what was started')
    .option(
      '--timeout <duration>',
      'stop following after this long, e.g. 10m; what was started goes on',
      durationOption,
    );
}

/** Adds the options of a verb that asks for a change. */
export function asking(command: Command): Command {
  return signing(following(command))
    .option('--reason <text>', 'why; kept in the record')
    .option('--ticket <id>', 'the ticket that it belongs to; a policy may ask for one')
    .option('--request-id <id>', 'makes repeating this command harmless: the same id is done once (default: a new one)')
    .option(
      '--advance <file>',
      'hand in an approval given in advance (tenure pre-approve); may be given again',
      (file: string, before: readonly string[] | undefined) => [...(before ?? []), file],
    );
}

/** The request that the options describe for one identity, signed; by `signer` where there is one already. */
export async function requestOf(
  session: Session,
  options: ChangeOptions,
  identity: string,
  kind: ChangeRequest['kind'],
  { signer, ...more }: Partial<ChangeRequest> & { readonly signer?: Signer } = {},
): Promise<ChangeRequest> {
  const { requestSigned } = await import('../trust/statements.js');
  const signs = signer ?? (await signerOf(session, options));
  const request: ChangeRequest = {
    id: options.requestId ?? newRequestId(),
    kind,
    requester: signs.name,
    ...(options.reason !== undefined && { reason: options.reason }),
    ...(options.ticket !== undefined && { ticket: options.ticket }),
    ...(options.advance && { advance: await advanceIn(session, options.advance) }),
    ...more,
  };
  return requestSigned(request, identity, signs);
}

function advanceIn(session: Session, files: readonly string[]): Promise<Signed[]> {
  const expected = { option: '--advance', what: 'approval in advance', maker: 'tenure pre-approve' };
  return Promise.all(files.map((file) => readSigned(session, file, expected)));
}

/** How long to follow: as the options and Ctrl-C say. */
export function patienceOf(session: Session, options: FollowOptions): Patience {
  return {
    signal: session.io.interrupted,
    ...(options.timeout !== undefined && { timeoutMs: options.timeout }),
    ...(options.answeredPark !== undefined && { answeredPark: options.answeredPark }),
  };
}

/** Where following ends before the process does, since the person has got what they waited for. */
export interface Enough {
  isSo(state: ProcessState): boolean;
  /** Gives the exit code. */
  tell(state: ProcessState): number;
}

/** Asks for a change of one identity, follows it and tells how it ended. Gives the exit code. */
export async function change(
  session: Session,
  typed: string,
  options: ChangeOptions,
  kind: ChangeRequest['kind'],
  more: Partial<ChangeRequest> = {},
  enough?: Enough,
): Promise<number> {
  const name = nameOf(typed);
  const client = await session.services.client();
  await demandAnswer(client, session, name, kind);
  const request = await requestOf(session, options, name, kind, more);
  const answer = await ask(client, name, request);
  if (!answer.accepted) throw new CliError(answer.code, answer.reason, nextCommands(answer.code, name));
  if (!options.wait) {
    session.out.say(`${name}: ${request.kind} accepted: ${answer.note}`);
    session.out.say(`  request id: ${request.id}`);
    session.out.answer({ identity: name, requestId: request.id, answer });
    return exitCodes.success;
  }
  const { view, patience } = followedUntil(stagesView(session.out), patienceOf(session, options), enough);
  const followed = await followRequest(client, name, request.id, view, patience, answer.operation);
  if (followed.how === 'left' && followed.state && enough?.isSo(followed.state)) return enough.tell(followed.state);
  session.out.answer({ requestId: request.id, ...endDocument(name, followed) });
  return tellEnd(session.out, name, followed);
}

function followedUntil(view: View, patience: Patience, enough: Enough | undefined): { view: View; patience: Patience } {
  if (!enough) return { view, patience };
  const end = new AbortController();
  return {
    patience: { ...patience, signal: AbortSignal.any([patience.signal, end.signal]) },
    view: {
      look(state) {
        view.look(state);
        if (enough.isSo(state)) end.abort();
      },
      aside: (text) => view.aside(text),
      close: () => view.close(),
    },
  };
}

/** Follows a request from its place in the queue to the end of its process. */
export async function followRequest(
  client: Client,
  name: string,
  requestId: string,
  view: View,
  patience: Patience,
  operation?: string,
): Promise<Followed> {
  const turn = operation === undefined ? await turnOf(client, name, requestId, view, patience) : { operation };
  if (turn && 'operation' in turn) return followProcess(client, turn.operation, view, patience);
  view.close();
  if (turn) return { how: 'settled', summary: turn.summary };
  return { how: 'left', why: patience.signal.aborted ? 'interrupted' : 'timeout' };
}

/** Follows a process that was found by other means, and tells how it ended. */
export async function followOperation(
  session: Session,
  name: string,
  operation: string,
  options: FollowOptions,
  enough?: Enough,
): Promise<number> {
  if (!options.wait) {
    session.out.answer({ identity: name, operation });
    return exitCodes.success;
  }
  const client = await session.services.client();
  const { view, patience } = followedUntil(stagesView(session.out), patienceOf(session, options), enough);
  const followed = await followProcess(client, operation, view, patience);
  if (followed.how === 'left' && followed.state && enough?.isSo(followed.state)) return enough.tell(followed.state);
  session.out.answer(endDocument(name, followed));
  return tellEnd(session.out, name, followed);
}

/**
 * Refuses before anything is sent when nobody would take it. A worker that has just stopped still looks alive to Temporal, so
 * the identity itself is asked.
 */
async function demandAnswer(client: Client, session: Session, name: string, what: string): Promise<void> {
  const isAnswered = (await isWorked(client, await session.services.namespace())) && (await stateOf(client, name));
  if (!isAnswered) throw noWorker(`${what} of ${name} was not asked for`);
}
