/** Whose signatures are in a record, and where each of them stands. */
import type { Directory, Party } from '../domain/directory.js';
import type { GateState } from '../domain/process.js';
import type { Signed, StatementType } from '../domain/statement.js';
import { signerOf, verifySigned } from '../trust/verify.js';
import type { Told } from './records.js';

/** Something signed in a record, with the instant at which it was found to be good. */
export interface SignedPart {
  readonly signed: Signed;
  readonly typ: StatementType;
  readonly at: string;
}

/** Everything signed that a record holds. */
export function signedParts({
  request,
  requester,
  state,
}: Pick<Told, 'request' | 'requester'> & {
  readonly state: { readonly gate?: GateState; readonly rounds?: readonly GateState[] };
}): SignedPart[] {
  const gates = [...(state.rounds ?? []), ...(state.gate ? [state.gate] : [])];
  const votes = gates.flatMap(({ votes }) => votes);
  const asked = requester?.at;
  return [
    ...(request.signed && asked !== undefined
      ? [{ signed: request.signed, typ: 'tenure/request@v1' as const, at: asked }]
      : []),
    ...(asked === undefined
      ? []
      : (request.advance ?? []).map((signed) => ({ signed, typ: 'tenure/advance@v1' as const, at: asked }))),
    ...votes.map(({ ballot, at }) => ({ signed: ballot.signed, typ: 'tenure/decision@v1' as const, at })),
    ...votes.flatMap(({ ballot, at }) =>
      ballot.delegation ? [{ signed: ballot.delegation, typ: 'tenure/delegation@v1' as const, at }] : [],
    ),
  ];
}

/** Who signed, as in the first of `directories` in which the signature holds; those that hold in none are left out. */
export async function signersOf(
  parts: readonly SignedPart[],
  directoriesAt: (instant: string) => Promise<readonly Directory[]>,
): Promise<Party[]> {
  const signers = new Map<string, Party>();
  for (const part of parts) {
    for (const directory of await directoriesAt(part.at)) {
      const party = await partyBehind(part, directory);
      if (!party) continue;
      const known = signers.get(party.name);
      signers.set(
        party.name,
        known
          ? { ...party, keys: [...new Map([...known.keys, ...party.keys].map((key) => [key.id, key])).values()] }
          : party,
      );
      break;
    }
  }
  return [...signers.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
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
