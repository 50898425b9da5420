/**
 * Whether an identity takes a request: a pure, ordered chain. The first check that answers decides, so the order is part
 * of the meaning: what is malformed is refused whatever else holds, and a repeated id is answered as before even where
 * the request would now be refused.
 */
import type { ErrorCode } from './errors.js';
import { queueLimit, type IdentitySpec, type IdentityState } from './identity.js';
import { processKinds } from './process.js';
import type { Answer, ChangeRequest } from './request.js';

/** Why a request is not taken. */
export type Refusal = { readonly code: ErrorCode; readonly reason: string };
type Check = (state: IdentityState, request: ChangeRequest) => Refusal | undefined;
const checks: readonly Check[] = [hasRoom, fitsStatus];

/** Characters of a whole request as JSON: sixteen of them wait in a state that Temporal takes up to 2 MB of. */
const largestRequest = 64_000;
const longestName = 200;
/** Durations beyond this are mistakes, and no date can be reckoned from the worst of them. Milliseconds. */
const longestMs = 10 * 366 * 24 * 60 * 60_000;

/** The answer to `request`, without changing anything. */
export function admit(state: IdentityState, request: ChangeRequest): Answer {
  const malformed = isWellFormed(request) ?? belongsHere(state, request);
  if (malformed) return { accepted: false, ...malformed };
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

function isWellFormed(request: ChangeRequest): Refusal | undefined {
  const invalid = (reason: string): Refusal => ({ code: 'InvalidRequest', reason });
  if (typeof request !== 'object' || request === null) return invalid('expected a request, as tenure sends it');
  if (!isName(request.id)) return invalid('id: expected a text of 1 to 200 characters');
  const kinds: readonly string[] = [...processKinds, 'amend'];
  if (!kinds.includes(request.kind)) return invalid(`kind: expected one of ${kinds.join(', ')}`);
  if (!isName(request.requester)) return invalid('requester: expected who asks, a text of 1 to 200 characters');
  if (request.reason !== undefined && typeof request.reason !== 'string') return invalid('reason: expected a text');
  const flag = (['emergency', 'repair', 'onlyIfDue'] as const).find((name) => !isFlag(request[name]));
  if (flag) return invalid(`${flag}: expected true or false`);
  if (JSON.stringify(request).length > largestRequest)
    return invalid(`the request is larger than ${largestRequest} characters; shorten the reason or the scope`);
  if (request.spec !== undefined && !isSpec(request.spec))
    return invalid('spec: expected a whole identity, as `tenure apply` sends it');
  if (request.emergency && request.kind !== 'revoke') return invalid('emergency: only a revoke can be an emergency');
  return undefined;
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value.length >= 1 && value.length <= longestName;
}

function isFlag(value: unknown): boolean {
  return value === undefined || typeof value === 'boolean';
}

/** The fields that the workflows read. The manifest's own schema has checked the rest; a forged signal gets no further than this. */
function isSpec(value: unknown): boolean {
  const spec = value as Partial<IdentitySpec> | null;
  return (
    isObject(spec) &&
    [spec.name, spec.kind, spec.environment, spec.dataClass, spec.owner?.person, spec.target?.name].every(isName) &&
    isObject(spec.target?.scope) &&
    isRotation(spec.rotation) &&
    isList(spec.deliver, ({ store, path }) => isName(store) && typeof path === 'string') &&
    spec.deliver.length > 0 &&
    isList(spec.consumers, ({ name, notify, timeoutMs }) => isName(name) && isObject(notify) && isMs(timeoutMs ?? 0)) &&
    isObject(spec.tags) &&
    Object.values(spec.tags).every((tag) => typeof tag === 'string')
  );
}

function isRotation(rotation: IdentitySpec['rotation'] | undefined): boolean {
  return (
    isObject(rotation) &&
    isName(rotation.name) &&
    isName(rotation.strategy) &&
    isMs(rotation.graceMs) &&
    isList(rotation.freeze, ({ from, to }) => isName(from) && isName(to))
  );
}

function isMs(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= longestMs;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isList<T>(value: readonly T[] | undefined, isOne: (item: T) => boolean): value is readonly T[] {
  return Array.isArray(value) && value.every((item: T) => isObject(item) && isOne(item));
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
      return request.spec ? undefined : invalid('spec: an amendment needs the declared identity; use: tenure apply');
    case 'rotate':
      if (!state.current && !willBeProvisioned)
        return invalid(`${name} has no credential to rotate (${status}); make one with: tenure apply`);
      return undefined;
    case 'validate':
    case 'revoke':
    case 'offboard':
      if (status === 'offboarded' && !willBeProvisioned)
        return invalid(`${name} was offboarded; there is nothing to ${request.kind}`);
      if (!spec && !willBeProvisioned)
        return invalid(`${name} was never provisioned; there is nothing to ${request.kind}`);
      return undefined;
    default:
      return request.kind satisfies never;
  }
}
