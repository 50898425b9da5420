/** Where drills are held: an identity of their own on a running system, and the people who play in them. */
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { IdentitySpec, IdentityState } from '../domain/identity.js';
import type { Ballot, ProcessState } from '../domain/process.js';
import type { Answer, ChangeRequest } from '../domain/request.js';
import { identityId, identityMessages, processMessages } from '../domain/wire.js';
import { requestSigned, type Signer } from '../trust/statements.js';

/** What only whoever holds the operator's files can do; on a system in use nobody should. */
export interface OperatorsHand {
  /** Takes a key of somebody out of the directory, or puts it back. */
  removeKey(signer: Signer): Promise<() => Promise<void>>;
  /** A freeze that began a while ago and lasts so long from now, milliseconds. */
  freeze(lastsMs: number): Promise<() => Promise<void>>;
  loosenPolicies(): Promise<() => Promise<void>>;
  /** Leaves an exception that has ended on record as if it had not. */
  leaveExpiredException(identity: string, rule: string): Promise<() => Promise<void>>;
  /** Whether the credential that consumers read may do this at the target, by a login. */
  mayDelete(identity: string): Promise<boolean>;
}

/** Everything that a drill plays with. */
export interface Range {
  readonly client: Client;
  /** Declared for drills, in an environment whose changes are gated. */
  readonly spec: IdentitySpec;
  /** Asks. */
  readonly asker: Signer;
  /** Another person who may decide. */
  readonly approver: Signer;
  /** A service or an automation of the directory. */
  readonly machine?: Signer;
  /** Signs with a key that nobody knows, in whose name you like. */
  forger(name: string): Signer;
  readonly hand?: OperatorsHand;
}

const patienceMs = 60_000;

/** Asks the identity of the drills for something, signed. */
export async function ask(
  range: Range,
  differs: Partial<ChangeRequest> & Pick<ChangeRequest, 'kind'>,
): Promise<Answer> {
  return send(range, await signedRequest(range, differs));
}

export function signedRequest(
  { asker, spec }: Range,
  differs: Partial<ChangeRequest> & Pick<ChangeRequest, 'kind'>,
): Promise<ChangeRequest> {
  const request = { id: randomUUID(), requester: asker.name, reason: 'a drill', ...differs };
  return requestSigned(request, spec.name, asker);
}

export function send({ client, spec }: Range, request: ChangeRequest): Promise<Answer> {
  return client.workflow
    .getHandle(identityId(spec.name))
    .executeUpdate<Answer, [ChangeRequest]>(identityMessages.request, { args: [request] });
}

/** Asks for a rotation and waits until its gate is open. Gives its operation. */
export async function openGate(range: Range, differs: Partial<ChangeRequest> = {}): Promise<string> {
  const answer = await ask(range, { kind: 'rotate', ...differs });
  if (!answer.accepted || answer.operation === undefined)
    throw new Error(`the rotation for the drill was not started: ${answer.accepted ? answer.note : answer.reason}`);
  const { operation } = answer;
  const { gate } = await processWhen(
    range,
    operation,
    'its gate is open',
    (state) => state.gate?.outcome === 'open' || hasPassed(state),
  );
  if (gate?.outcome === 'open') return operation;
  await closeGate(range, operation);
  throw new Error(`${operation} needed no approval: the identity for drills has to be one whose changes policy gates`);
}

/** Ends what waits at a gate, with nothing touched, and waits until the identity rests. */
export async function closeGate(range: Range, operation: string): Promise<void> {
  await range.client.workflow
    .getHandle(operation)
    .cancel()
    .catch(() => undefined);
  await stateWhen(range, 'nothing runs', ({ running }) => running === undefined);
}

/** Whether it went past its gate: the next stage has begun. */
export function hasPassed({ stages }: ProcessState): boolean {
  const gate = stages.findIndex(({ name }) => name === 'gate');
  return stages.slice(gate + 1).some(({ name, startedAt }) => name !== 'seal' && startedAt !== undefined);
}

export async function decide(range: Range, operation: string, ballot: Ballot): Promise<void> {
  await range.client.workflow.getHandle(operation).signal(processMessages.decide, ballot);
}

export function processOf({ client }: Range, operation: string, runId?: string): Promise<ProcessState> {
  return client.workflow.getHandle(operation, runId).query<ProcessState>(processMessages.process);
}

export function processWhen(
  range: Range,
  operation: string,
  what: string,
  isSo: (state: ProcessState) => boolean,
): Promise<ProcessState> {
  return until(what, () => processOf(range, operation), isSo);
}

export function stateOf({ client, spec }: Range): Promise<IdentityState> {
  return client.workflow.getHandle(identityId(spec.name)).query<IdentityState>(identityMessages.state);
}

export function stateWhen(range: Range, what: string, isSo: (state: IdentityState) => boolean): Promise<IdentityState> {
  return until(what, () => stateOf(range), isSo);
}

export async function until<T>(
  what: string,
  look: () => Promise<T>,
  isSo: (seen: T) => boolean,
  withinMs = patienceMs,
): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    const seen = await look().catch(() => undefined);
    if (seen !== undefined && isSo(seen)) return seen;
    if (Date.now() > end) throw new Error(`it did not come about within ${withinMs / 1_000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
