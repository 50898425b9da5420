/**
 * Whether an identity takes a request: a pure, ordered chain. The first check that answers decides, so the order is part
 * of the meaning: what is malformed is refused whatever else holds, and a repeated id is answered as before even where
 * the request would now be refused.
 */
import { beyondAmendment } from './difference.js';
import { whyNotLent } from './elevation.js';
import type { ErrorCode } from './errors.js';
import { queueLimit, type IdentitySpec, type IdentityState } from './identity.js';
import type { Answer, ChangeRequest } from './request.js';
import { whatIsMalformed } from './well-formed.js';

/** Why a request is not taken. */
export type Refusal = { readonly code: ErrorCode; readonly reason: string };
type Check = (state: IdentityState, request: ChangeRequest) => Refusal | undefined;
const checks: readonly Check[] = [hasRoom, fitsStatus];

/** The answer to `request`, without changing anything. */
export function admit(state: IdentityState, request: ChangeRequest): Answer {
  const malformed = isWellFormed(request) ?? belongsHere(state, request);
  if (malformed) return { accepted: false, ...malformed };
  const before = state.handled.find(({ id, unproven }) => id === request.id && !unproven);
  if (before) return before.answer;
  const running = emergencyRunning(state, request);
  if (running)
    return { accepted: true, operation: running, queued: 0, note: 'an emergency revocation is running already' };
  for (const check of checks) {
    const refusal = check(state, request);
    if (refusal) return { accepted: false, ...refusal };
  }
  const ahead = request.emergency ? 0 : state.queue.length + (state.running ? 1 : 0);
  return { accepted: true, queued: ahead, note: ahead === 0 ? 'starts now' : `waits for ${ahead} before it` };
}

/** Asked again when a queued request's turn comes: what was fine then may not be now. */
export function mayStart(state: IdentityState, request: ChangeRequest): Refusal | undefined {
  return fitsStatus({ ...state, queue: [] }, request);
}

function emergencyRunning(state: IdentityState, request: ChangeRequest): string | undefined {
  return request.emergency && state.running?.emergency ? state.running.operation : undefined;
}

function isWellFormed(request: ChangeRequest): Refusal | undefined {
  const reason = whatIsMalformed(request);
  return reason === undefined ? undefined : { code: 'InvalidRequest', reason };
}

function belongsHere(state: IdentityState, request: ChangeRequest): Refusal | undefined {
  if (request.spec && request.spec.name !== state.name) {
    return { code: 'InvalidRequest', reason: `spec.name: expected ${state.name}, the identity that was asked` };
  }
  return undefined;
}

function hasRoom(state: IdentityState, request: ChangeRequest): Refusal | undefined {
  const waiting = state.queue.filter(({ emergency = false }) => emergency === (request.emergency ?? false)).length;
  if (waiting < queueLimit) return undefined;
  return {
    code: 'Conflict',
    reason: `${state.name} has ${queueLimit} requests waiting already; see them with: tenure show ${state.name}`,
  };
}

function fitsStatus(state: IdentityState, request: ChangeRequest): Refusal | undefined {
  const { name, status } = state;
  const spec = state.spec ?? state.begun;
  const invalid = (reason: string): Refusal => ({ code: 'InvalidRequest', reason });
  const willBeProvisioned = state.queue.some(({ kind }) => kind === 'provision') || state.running?.kind === 'provision';
  switch (request.kind) {
    case 'provision':
      if (!request.spec) return invalid('spec: a provision needs the declared identity; use: tenure apply');
      if (state.current)
        return invalid(`${name} has a credential already; change it with: tenure apply, tenure rotate`);
      return undefined;
    case 'amend':
      return amends(state, request);
    case 'rotate':
      if (!state.current && !willBeProvisioned) return invalid(hasNone(state, 'rotate'));
      return undefined;
    case 'elevate':
      return mayBeLent(state, request);
    case 'validate':
    case 'revoke':
    case 'offboard':
      if (status === 'offboarded' && !willBeProvisioned)
        return invalid(`${name} was offboarded; there is nothing to ${request.kind}`);
      if (!spec && !willBeProvisioned)
        return invalid(`${name} was never provisioned; there is nothing to ${request.kind}`);
      return undefined;
  }
}

/** What was revoked stays so until somebody says otherwise. */
function hasNone({ name, status }: IdentityState, what: string): string {
  const apply = status === 'revoked' ? 'tenure apply --reinstate' : 'tenure apply';
  return `${name} has no credential to ${what} (${status}); make one with: ${apply}`;
}

/** Rights are lent to what stands as it is declared, and can be taken back from it afterwards. */
function mayBeLent(state: IdentityState, { elevation }: ChangeRequest): Refusal | undefined {
  const { name, status, current, spec } = state;
  const invalid = (reason: string): Refusal => ({ code: 'InvalidRequest', reason });
  if (!current || !spec) return invalid(hasNone(state, 'elevate'));
  if (status !== 'active')
    return invalid(`${name} is ${status}: what it may now is not known for certain; see: tenure show ${name}`);
  const problem = whyNotLent(spec.target.scope, elevation!);
  return problem === undefined ? undefined : invalid(problem);
}

/** An amendment asks no policy, so it changes only what has no effect at the target. */
function amends(state: IdentityState, { spec }: ChangeRequest): Refusal | undefined {
  const invalid = (reason: string): Refusal => ({ code: 'InvalidRequest', reason });
  if (!spec) return invalid('spec: an amendment needs the declared identity; use: tenure apply');
  const before = declaredBefore(state);
  if (!before) return invalid(`${state.name} was never provisioned; there is nothing to amend; use: tenure apply`);
  const field = beyondAmendment(before, spec);
  if (field === undefined) return undefined;
  return invalid(
    `spec.${field}: this goes with a rotation, which policy decides on; an amendment cannot change it; use: tenure apply`,
  );
}

/** What will be declared when a request at the end of the queue has its turn, if all before it succeed. */
function declaredBefore({ queue, running, begun, spec }: IdentityState): IdentitySpec | undefined {
  const queued = queue.findLast((request) => request.spec !== undefined && request.kind !== 'validate')?.spec;
  const made = running?.kind === 'provision' || running?.kind === 'rotate' ? begun : undefined;
  return queued ?? made ?? spec;
}
