/**
 * Whether an identity takes a request: a pure, ordered chain. The first check that answers decides, so the order is part
 * of the meaning: a repeated id is answered as before even where the request would now be refused.
 */
import type { ErrorCode } from './errors.js';
import { queueLimit, type IdentitySpec, type IdentityState } from './identity.js';
import { processKinds } from './process.js';
import type { Answer, ChangeRequest } from './request.js';

/** Why a request is not taken. */
export type Refusal = { readonly code: ErrorCode; readonly reason: string };
type Check = (state: IdentityState, request: ChangeRequest) => Refusal | undefined;
const checks: readonly Check[] = [isWellFormed, belongsHere, hasRoom, fitsStatus];

/** The answer to `request`, without changing anything. */
export function admit(state: IdentityState, request: ChangeRequest): Answer {
  const before = state.handled.find((handled) => handled.id === request.id);
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

function isWellFormed(_state: IdentityState, request: ChangeRequest): Refusal | undefined {
  const invalid = (reason: string): Refusal => ({ code: 'InvalidRequest', reason });
  if (typeof request.id !== 'string' || request.id.length < 1 || request.id.length > 200) {
    return invalid('id: expected a text of 1 to 200 characters');
  }
  const kinds: readonly string[] = [...processKinds, 'amend'];
  if (!kinds.includes(request.kind)) return invalid(`kind: expected one of ${kinds.join(', ')}`);
  if (typeof request.requester !== 'string' || request.requester === '') return invalid('requester: expected who asks');
  if (request.spec !== undefined && !isSpec(request.spec))
    return invalid('spec: expected a whole identity, as `tenure apply` sends it');
  if (request.emergency && request.kind !== 'revoke') return invalid('emergency: only a revoke can be an emergency');
  return undefined;
}

/** The fields that the workflows read. The manifest's own schema has checked the rest; a forged signal gets no further than this. */
function isSpec(value: unknown): boolean {
  const spec = value as Partial<IdentitySpec> | null;
  return (
    typeof spec === 'object' &&
    spec !== null &&
    typeof spec.name === 'string' &&
    typeof spec.owner?.person === 'string' &&
    typeof spec.target?.name === 'string' &&
    typeof spec.rotation?.strategy === 'string' &&
    typeof spec.rotation.graceMs === 'number' &&
    Array.isArray(spec.deliver) &&
    spec.deliver.length > 0 &&
    Array.isArray(spec.consumers)
  );
}

function belongsHere(state: IdentityState, request: ChangeRequest): Refusal | undefined {
  if (request.spec && request.spec.name !== state.name) {
    return { code: 'InvalidRequest', reason: `spec.name: expected ${state.name}, the identity that was asked` };
  }
  return undefined;
}

function hasRoom(state: IdentityState, request: ChangeRequest): Refusal | undefined {
  if (request.emergency || state.queue.length < queueLimit) return undefined;
  return {
    code: 'Conflict',
    reason: `${state.name} has ${queueLimit} requests waiting already; see them with: tenure show ${state.name}`,
  };
}

function fitsStatus(state: IdentityState, request: ChangeRequest): Refusal | undefined {
  const { name, status, spec } = state;
  const invalid = (reason: string): Refusal => ({ code: 'InvalidRequest', reason });
  const willBeProvisioned = state.queue.some(({ kind }) => kind === 'provision') || state.running?.kind === 'provision';
  switch (request.kind) {
    case 'provision':
      if (!request.spec) return invalid('spec: a provision needs the declared identity; use: tenure apply');
      if (state.current)
        return invalid(`${name} has a credential already; change it with: tenure apply, tenure rotate`);
      return undefined;
    case 'amend':
      return request.spec ? undefined : invalid('spec: an amendment needs the declared identity; use: tenure apply');
    case 'rotate':
      if (!state.current && !willBeProvisioned)
        return invalid(`${name} has no credential to rotate (${status}); make one with: tenure apply`);
      return undefined;
    case 'validate':
    case 'revoke':
    case 'offboard':
      if (!spec && !willBeProvisioned)
        return invalid(`${name} was never provisioned; there is nothing to ${request.kind}`);
      return undefined;
    default:
      return request.kind satisfies never;
  }
}
