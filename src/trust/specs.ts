/** The declared identities that a process works with, and whether they are what was declared. */
import { beyondAmendment } from '../domain/difference.js';
import { elevatedSpec } from '../domain/elevation.js';
import type { IdentitySpec } from '../domain/identity.js';
import { untilNow, type Until } from '../domain/plan.js';
import type { ProcessInput } from '../domain/process.js';
import { digestOf } from '../policy/digest.js';
import type { Declared } from './declared.js';
import type { Permit } from './permits.js';
import { refused } from './refusal.js';

/** What shall be, and for a time what is lent. */
export function specsOf({ spec, request: { elevation } }: ProcessInput): readonly IdentitySpec[] {
  return elevation ? [spec, elevatedSpec(spec, elevation)] : [spec];
}

/** What the worker has on record about one identity. */
export interface OnRecord {
  readonly noted: readonly Declared[];
  /** The permit of the last process that made a credential and was carried out. */
  readonly last?: Permit | undefined;
}

/**
 * A signature over a plain request says nothing of what the identity is declared as: that comes with the workflow, which may be anybody's.
 * So it has to be what the request names, or what is on record here. Throws `ApprovalRefused`.
 */
export function demandDeclared(input: ProcessInput, onRecord: OnRecord): void {
  const { identity, kind, operation, request, spec, specBefore } = input;
  const no = (what: string): never => {
    throw refused('other-content', `${operation}: ${what}; nothing was touched. Ask again with: tenure`);
  };
  if (kind !== request.kind) no(`a ${request.kind} was asked for, and this is a ${kind}`);
  // An emergency does not wait for a record that may be behind; it only ends what is marked as this identity's.
  if (request.emergency) return;
  const isKnown = isAnythingOn(onRecord);
  if (!isNamed(input) && !isKnown && !isEnd(kind)) no(nothingOn(identity));
  const isIt = isNamed(input) ? digestOf(spec) === digestOf(request.spec) : isDeclared(spec, kind, onRecord);
  if (!isIt) no(`what it shall bring about is not what ${identity} was declared as`);
  // There is nothing to compare it with, and its labels only add to those of what is named.
  if (!isKnown) return;
  if (specBefore ? !isDeclared(specBefore, kind, onRecord) : mustHaveOne(kind, onRecord))
    no(`what was declared before is not what is on record about ${identity}`);
}

/** What a person can do where a request would have to be taken at a workflow's word. */
export function nothingOn(identity: string): string {
  return `nothing is on record here of what ${identity} is; name it, with its manifest, by: tenure apply --rotate`;
}

/**
 * What was declared before, by what is on record here, where that is something else than what a process works with and its input does not
 * say so: a first provision under a name that was in production once, or an end that names labels which somebody only asked for, also as
 * those of before.
 */
export function leftOut({ kind, spec, specBefore }: ProcessInput, onRecord: OnRecord): Until | undefined {
  const was = specBefore && isOnRecord(specBefore, onRecord) ? undefined : lastOnRecord(kind, onRecord);
  if (!was) return undefined;
  return digestOf(untilNow(was)) === digestOf(untilNow(specBefore ?? spec)) ? undefined : untilNow(was);
}

/** What was carried out last, or else permitted last; but a provision that was permitted and came to nothing has left nothing to the next. */
function lastOnRecord(kind: ProcessInput['kind'], { noted, last }: OnRecord): IdentitySpec | undefined {
  const carriedOut = noted.find((one) => digestOf(one.spec) === last?.specs[0]);
  const permitted = kind === 'provision' ? [] : noted.filter(({ how }) => how === 'permitted');
  return (carriedOut ?? permitted.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at)).at(-1))?.spec;
}

/** As what an identity may be declared now: what was carried out last, and what was permitted or amended since. */
export function declaredNow(onRecord: OnRecord): readonly IdentitySpec[] {
  return onRecord.noted.filter(({ spec }) => isOnRecord(spec, onRecord)).map(({ spec }) => spec);
}

/** Whether an identity is what it was declared as, by what is on record here. */
export function isOnRecord(spec: IdentitySpec, onRecord: OnRecord): boolean {
  return isDeclared(spec, 'validate', onRecord);
}

/** Only these bring a declared identity with them. */
function isNamed({ kind, request }: ProcessInput): boolean {
  return request.spec !== undefined && (kind === 'provision' || kind === 'rotate');
}

/** What has a credential was declared before. Labels of then must not be left out, since the rules for them hold too. */
function mustHaveOne(kind: ProcessInput['kind'], { last }: OnRecord): boolean {
  return last !== undefined && (kind === 'rotate' || kind === 'elevate');
}

function isEnd(kind: ProcessInput['kind']): boolean {
  return kind === 'revoke' || kind === 'offboard';
}

/** What was only asked for says nothing of what it is. */
function isAnythingOn({ noted, last }: OnRecord): boolean {
  return last !== undefined || noted.some(({ how }) => how !== 'asked');
}

/** Of what nothing is on record, nothing can be compared: it can be ended, and nothing else. */
function isDeclared(spec: IdentitySpec, kind: ProcessInput['kind'], { noted, last }: OnRecord): boolean {
  if (!isAnythingOn({ noted, last })) return isEnd(kind);
  const digest = digestOf(spec);
  if (last?.specs[0] === digest) return true;
  const same = noted.filter((one) => digestOf(one.spec) === digest);
  // What was begun and stopped has to be ended too, whether it came as far as being permitted or not.
  if (isEnd(kind)) return same.length > 0;
  const since = last ? Date.parse(last.at) : 0;
  return same.some(({ how, at }) => {
    if (how === 'permitted') return Date.parse(at) >= since;
    return how === 'amended' && Date.parse(at) >= since - longestWaitMs && isAmendment(spec, { noted, last });
  });
}

/** An amendment may have waited in the queue behind what made the credential: as long as a request may wait. */
const longestWaitMs = 45 * 86_400_000;

/** It differs from what was permitted in nothing that goes with a rotation. */
function isAmendment(spec: IdentitySpec, { noted, last }: OnRecord): boolean {
  const since = last ? Date.parse(last.at) : 0;
  const permitted = noted.filter((one) =>
    last?.specs[0] === digestOf(one.spec) ? true : one.how === 'permitted' && Date.parse(one.at) >= since,
  );
  return permitted.length === 0 || permitted.some((one) => beyondAmendment(one.spec, spec) === undefined);
}
