/** Making signed statements: each builder fills in type, version, times and who signs. */
import { TenureError } from '../domain/errors.js';
import type { ChangeRequest } from '../domain/request.js';
import {
  longestLifeMs,
  type AdvanceStatement,
  type DecisionStatement,
  type DelegationStatement,
  type RequestStatement,
  type ReviewStatement,
  type Signed,
  type Statement,
  type StatementType,
  type Verb,
} from '../domain/statement.js';
import type { Word } from '../domain/wire.js';
import { formatDuration } from '../manifest/duration.js';
import { digestOf } from '../policy/digest.js';

/** Somebody who can sign now. */
export interface Signer {
  /** Their name in the directory. */
  readonly name: string;
  /** Id of the key, as in the directory. */
  readonly keyId: string;
  sign(statement: Statement): Promise<Signed>;
}

type Own<S> = Omit<S, 'v' | 'typ' | 'iat' | 'exp'>;

const hourMs = 3_600_000;

/** `sha256:<hex>` of what a signature is over: everything but the signature. */
export function digestWithoutSignature(content: { readonly signed?: Signed | undefined }): string {
  const { signed: _signed, ...rest } = content;
  return digestOf(rest);
}

/**
 * Signs a request for one identity. An emergency may wait a day for a worker, anything else an hour.
 * Throws `InvalidRequest` when it is made in somebody else's name.
 */
export async function requestSigned<R extends ChangeRequest>(
  request: R,
  identity: string,
  signer: Signer,
  now: Date = new Date(),
): Promise<R & { readonly signed: Signed }> {
  const { id, kind, requester, onBehalfOf, emergency } = request;
  demandOwnName(requester, signer);
  const own: Own<RequestStatement> = {
    id,
    verb: kind,
    subject: identity,
    digest: digestWithoutSignature(request),
    requester,
    ...(onBehalfOf !== undefined && { onBehalfOf }),
  };
  const signed = await signer.sign(statement('tenure/request@v1', own, now, emergency ? 24 * hourMs : hourMs));
  return { ...request, signed };
}

/** Signs a word to a process (its operation is the subject), or to an exception. */
export async function wordSigned<W extends Word>(
  word: W,
  about: { readonly verb: Verb; readonly subject: string; readonly id: string },
  signer: Signer,
  now: Date = new Date(),
): Promise<W & { readonly signed: Signed }> {
  demandOwnName(word.by, signer);
  const own: Own<RequestStatement> = { ...about, digest: digestWithoutSignature(word), requester: word.by };
  return { ...word, signed: await signer.sign(statement('tenure/request@v1', own, now, hourMs)) };
}

/** Signs a decision at a gate. */
export function decisionSigned(
  own: Omit<Own<DecisionStatement>, 'approver'>,
  signer: Signer,
  now: Date = new Date(),
): Promise<Signed> {
  const typ = 'tenure/decision@v1';
  return signer.sign(statement<DecisionStatement>(typ, { ...own, approver: signer.name }, now, longestLifeMs[typ]));
}

/** Signs a delegation that holds from `nbf` for so long; an absence that begins later takes nothing from it. */
export function delegationSigned(
  own: Omit<Own<DelegationStatement>, 'from'>,
  lifeMs: number,
  signer: Signer,
  now: Date = new Date(),
): Promise<Signed> {
  const leadMs = Math.max(0, Date.parse(own.nbf) - now.getTime());
  return signer.sign(
    statement<DelegationStatement>('tenure/delegation@v1', { ...own, from: signer.name }, now, leadMs + lifeMs),
  );
}

/** Signs an approval in advance. */
export function advanceSigned(
  own: Omit<Own<AdvanceStatement>, 'approver'>,
  lifeMs: number,
  signer: Signer,
  now: Date = new Date(),
): Promise<Signed> {
  return signer.sign(statement<AdvanceStatement>('tenure/advance@v1', { ...own, approver: signer.name }, now, lifeMs));
}

/** Signs what a review found. */
export function reviewSigned(
  own: Omit<Own<ReviewStatement>, 'reviewer'>,
  signer: Signer,
  now: Date = new Date(),
): Promise<Signed> {
  const typ = 'tenure/review@v1';
  return signer.sign(statement<ReviewStatement>(typ, { ...own, reviewer: signer.name }, now, longestLifeMs[typ]));
}

function statement<S extends Statement>(typ: S['typ'] & StatementType, own: Own<S>, now: Date, lifeMs: number): S {
  if (lifeMs > longestLifeMs[typ])
    throw new TenureError(
      'InvalidRequest',
      `what is signed here (${typ}) holds for ${formatDuration(longestLifeMs[typ])} from now at most, not for ${formatDuration(lifeMs)}; ask for less`,
    );
  const exp = new Date(now.getTime() + lifeMs).toISOString();
  return { ...own, v: 1, typ, iat: now.toISOString(), exp } as unknown as S;
}

function demandOwnName(claimed: string, { name }: Signer): void {
  if (claimed === name) return;
  throw new TenureError('InvalidRequest', `${name} signs here, and cannot sign for ${claimed}; say --as ${name}`);
}
