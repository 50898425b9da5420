/** What a permit binds besides who asked and what was decided: everything that an effect may be told to do. */
import type { CredentialRecord } from '../domain/credential.js';
import { epochAfterwards, epochOf, undoEpoch } from '../domain/epoch.js';
import type { IdentitySpec } from '../domain/identity.js';
import type { ProcessInput, ProcessKind } from '../domain/process.js';
import { parseProcessId } from '../domain/wire.js';
import { digestOf } from '../policy/digest.js';

/** What a change starts from. */
interface Starting {
  readonly specBefore?: IdentitySpec;
  readonly from?: CredentialRecord;
  readonly previous?: readonly CredentialRecord[];
}

/** The change that takes lent rights back, as `restore` is told it. */
interface Back extends Starting {
  readonly identity: string;
  readonly operation: string;
  readonly epoch: number;
  readonly spec: IdentitySpec;
}

/** Digests of what a change starts from, `sha256:<hex>`; what is absent must not be given. */
export interface Given {
  readonly specBefore?: string;
  readonly from?: string;
  readonly previous?: string;
}

/** Rights that may be lent: the latest moment, and how they are taken back without any workflow. */
export interface Lent {
  /** ISO 8601. */
  readonly until: string;
  readonly back: Back;
}

/** The part of a permit that says what is done, and not who lets it be done. */
export interface Bound {
  readonly kind: ProcessKind;
  /** A validation that puts right what drifted; without it, it changes nothing. */
  readonly repair?: true;
  readonly given: Given;
  readonly lent?: Lent;
}

/** Binds what authorize decided on. */
export function boundBy(input: ProcessInput, now: Date): Bound {
  const { kind, request } = input;
  const isLending = kind === 'elevate' && request.elevation !== undefined;
  return {
    kind,
    ...(request.repair && { repair: true }),
    given: givenIn(startingIn(input)),
    ...(isLending && { lent: lentBy(input, request.elevation.forMs, now) }),
  };
}

/** The same of a change, to be compared with what is bound. */
export function givenIn({ specBefore, from, previous }: Starting): Given {
  return {
    ...(specBefore !== undefined && { specBefore: digestOf(specBefore) }),
    ...(from !== undefined && { from: digestOf(from) }),
    ...(previous !== undefined && { previous: digestOf(previous) }),
  };
}

/** The epochs in which a process of this name acts: lending, and everything else. Undoing follows each. NaN for what is no process. */
export function epochsOf(operation: string): { readonly lending: number; readonly acting: number } {
  const { kind, number = Number.NaN } = parseProcessId(operation) ?? {};
  const lending = epochOf(number);
  return { lending, acting: kind === 'elevate' ? epochAfterwards(lending) : lending };
}

function lentBy(input: ProcessInput, forMs: number, now: Date): Lent {
  const { identity, operation, spec } = input;
  return {
    until: new Date(now.getTime() + forMs).toISOString(),
    back: {
      identity,
      operation,
      epoch: undoEpoch(epochsOf(operation).lending),
      spec,
      ...startingIn(input),
    },
  };
}

/** As a process tells its activities. */
function startingIn({ specBefore, current, previous }: ProcessInput): Starting {
  return {
    ...(specBefore && { specBefore }),
    ...(current && { from: current }),
    ...(previous && { previous }),
  };
}
