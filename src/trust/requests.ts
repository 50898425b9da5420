/** Requests and words together with what they are about: a good signature over something else is worth nothing. */
import { TenureError } from '../domain/errors.js';
import { partyNamed, personsBehind, type Attested, type Directory } from '../domain/directory.js';
import type { ChangeRequest } from '../domain/request.js';
import type { RequestStatement, Signed, Verb } from '../domain/statement.js';
import { digestOf } from '../policy/digest.js';
import { refused } from './refusal.js';
import { digestWithoutSignature } from './statements.js';
import { verifySigned } from './verify.js';

/** Against what, and when. */
export interface Circumstances {
  readonly directory: Directory;
  readonly now: Date;
  /** See {@link verifySigned}. */
  readonly receivedAt?: Date;
}

/** Who asked one identity for exactly this, and for whom. Throws `ApprovalRefused`. */
export async function verifyRequest(
  asked: ChangeRequest,
  identity: string,
  circumstances: Circumstances,
): Promise<Attested> {
  const { statement, attested } = await verified(asked.signed, circumstances);
  demand(statement, {
    id: asked.id,
    verb: asked.kind,
    subject: identity,
    digest: digested(() => digestWithoutSignature(asked)),
    requester: asked.requester,
    onBehalfOf: asked.onBehalfOf,
  });
  const behind = behindOf(asked.onBehalfOf, attested, circumstances.directory);
  return behind.length === 0 ? attested : { ...attested, behind };
}

/** Whoever has an automation ask is as much behind it as its owner. A schedule is nobody. */
function behindOf(onBehalfOf: string | undefined, { name }: Attested, directory: Directory): readonly string[] {
  const party = onBehalfOf === undefined ? undefined : partyNamed(directory, onBehalfOf);
  return party ? personsBehind(party).filter((person) => person !== name) : [];
}

/** What came by a signal may be nested so deep, or be so little, that it has no canonical form. */
function digested(digest: () => string): string {
  try {
    return digest();
  } catch {
    throw refused('malformed', 'what was sent is no plain JSON');
  }
}

/** A word to a process or to an exception. */
export interface SaidWord {
  readonly signed?: Signed | undefined;
  readonly verb: Verb;
  readonly subject: string;
  /** The whole word, without its signature. */
  readonly content: unknown;
}

/** Who said exactly this. Throws `ApprovalRefused`. */
export async function verifyWord(
  { signed, verb, subject, content }: SaidWord,
  circumstances: Circumstances,
): Promise<Attested> {
  const { statement, attested } = await verified(signed, circumstances);
  demand(statement, { verb, subject, digest: digested(() => digestOf(content)) });
  const { by } = content as { readonly by?: unknown };
  if (by !== attested.name)
    throw refused('other-signer', `the word is said in another name than that of ${attested.name}`);
  return attested;
}

function verified(
  signed: Signed | undefined,
  circumstances: Circumstances,
): ReturnType<typeof verifySigned<'tenure/request@v1'>> {
  if (!signed) throw refused('not-signed', 'it is not signed, so nobody has asked for it; ask with the tenure command');
  return verifySigned(signed, { typ: 'tenure/request@v1', ...circumstances });
}

type Wanted = { readonly [K in keyof RequestStatement]?: RequestStatement[K] | undefined };

function demand(statement: RequestStatement, wanted: Wanted): void {
  const other = (Object.keys(wanted) as (keyof RequestStatement)[]).find((field) => statement[field] !== wanted[field]);
  if (other === undefined) return;
  throw refused('other-content', `what is signed is something else: its ${other} is not that of what was sent`);
}

/** A request may have waited in a queue and at a gate of thirty days; one that is older was kept by somebody to be used later. */
const oldestMs = 45 * 86_400_000;

/** Throws `ApprovalRefused` where it was asked too long ago. `what`: which process or amendment. */
export function demandRecent(what: string, askedAt: Date, now: Date): void {
  if (now.getTime() - askedAt.getTime() <= oldestMs) return;
  throw new TenureError(
    'ApprovalRefused',
    `what ${what} was asked for is too long ago; nothing was touched. Ask again`,
  );
}
