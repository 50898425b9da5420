/** Whose signatures are in a record, and where each of them stands. */
import type { Directory, Party } from '../domain/directory.js';
import type { ReviewRecord } from '../domain/elevation-review.js';
import type { ExceptionTold } from '../domain/evidence.js';
import type { GateState, ProcessState } from '../domain/process.js';
import type { Signed, StatementType } from '../domain/statement.js';
import { issuedAt } from '../trust/issued-at.js';
import { refused } from '../trust/refusal.js';
import { signerOf, verifySigned } from '../trust/verify.js';
import type { Told } from './records.js';

/** Something signed in a record, with the instant at which it was found to be good. */
export interface SignedPart {
  readonly signed: Signed;
  readonly typ: StatementType;
  readonly at: string;
}

/** Everything signed that the record of a process holds. */
export function signedParts({
  request,
  requester,
  state,
}: Pick<Told, 'request' | 'requester'> & {
  readonly state: Pick<ProcessState, 'gate' | 'rounds' | 'decision'>;
}): SignedPart[] {
  const asked = requester?.at;
  const counted = state.decision?.inAdvance ? state.decision.at : asked;
  return [
    ...(request.signed && asked !== undefined
      ? [{ signed: request.signed, typ: 'tenure/request@v1' as const, at: asked }]
      : []),
    ...(counted === undefined
      ? []
      : (request.advance ?? []).map((signed) => ({ signed, typ: 'tenure/advance@v1' as const, at: counted }))),
    ...votesIn([...(state.rounds ?? []), ...(state.gate ? [state.gate] : [])]),
  ];
}

function votesIn(gates: readonly GateState[]): SignedPart[] {
  const votes = gates.flatMap(({ votes }) => votes);
  return [
    ...votes.map(({ ballot, at }) => ({ signed: ballot.signed, typ: 'tenure/decision@v1' as const, at })),
    ...votes.flatMap(({ ballot, at }) =>
      ballot.delegation ? [{ signed: ballot.delegation, typ: 'tenure/delegation@v1' as const, at }] : [],
    ),
  ];
}

/** Everything signed that the record of an exception holds. What was asked and withdrawn was verified when it came. */
export function signedInException({
  terms,
  gate,
  rounds = [],
  word,
}: Pick<ExceptionTold, 'terms' | 'gate' | 'rounds' | 'word'>): SignedPart[] {
  const words = [terms.signed, word?.signed].filter((signed) => signed !== undefined);
  return [
    ...words.map((signed) => ({ signed, typ: 'tenure/request@v1' as const, at: iatOf(signed) })),
    ...votesIn([...rounds, gate]),
  ];
}

function iatOf(signed: Signed): string {
  const iat = issuedAt(signed);
  if (Number.isNaN(iat.getTime())) throw refused('malformed', 'what was signed does not say when');
  return iat.toISOString();
}

/** Everything signed that the record of a review holds. */
export function signedInReview({ reviews }: Pick<ReviewRecord, 'reviews'>): SignedPart[] {
  return reviews.map(({ signed, at }) => ({ signed, typ: 'tenure/review@v1' as const, at }));
}

/** Who signed, as in the first of `directories` in which the signature holds, and how many signatures hold in none. */
export async function signersOf(
  parts: readonly SignedPart[],
  directoriesAt: (instant: string) => Promise<readonly Directory[]>,
): Promise<{ readonly signers: Party[]; readonly nobodys: number }> {
  const found = new Map<string, Party>();
  let nobodys = 0;
  for (const part of parts) {
    const party = await partyIn(part, await directoriesAt(part.at));
    if (party) found.set(party.name, withKeysOf(party, found.get(party.name)));
    else nobodys += 1;
  }
  return { signers: [...found.values()].sort((one, other) => (one.name < other.name ? -1 : 1)), nobodys };
}

async function partyIn(part: SignedPart, directories: readonly Directory[]): Promise<Party | undefined> {
  for (const directory of directories) {
    const party = await partyBehind(part, directory);
    if (party) return party;
  }
  return undefined;
}

function withKeysOf(party: Party, known: Party | undefined): Party {
  if (!known) return party;
  return { ...party, keys: [...new Map([...known.keys, ...party.keys].map((key) => [key.id, key])).values()] };
}

async function partyBehind({ signed, typ, at }: SignedPart, directory: Directory): Promise<Party | undefined> {
  try {
    const now = new Date(at);
    const { attested, statement } = await verifySigned(signed, { typ, directory, now });
    const party = directory.parties.find(({ name }) => name === signerOf(statement));
    return party && { ...party, keys: party.keys.filter(({ id }) => id === attested.key) };
  } catch {
    return undefined;
  }
}
