/** Whether something signed is what it says, by whom it says. The order: shape, time, whose key, then the signature itself. */
import { createHash } from 'node:crypto';
import { findKey, isValidAt, type Attested, type Directory, type Party, type PartyKey } from '../domain/directory.js';
import { clockSkewMs, longestLifeMs, type Signed, type Statement, type StatementType } from '../domain/statement.js';
import { readJwk } from './jwk.js';
import { readJws } from './jws.js';
import { refused } from './refusal.js';
import { readSshsig } from './sshsig.js';
import { readStatement } from './statement-text.js';

/** What a statement has to be. */
export interface Expected<K extends StatementType> {
  readonly typ: K;
  readonly directory: Directory;
  readonly now: Date;
  /**
   * When it was received, where that is known from a record of ours and is not now: its own times are judged at that instant.
   * Keys and people are always judged now.
   */
  readonly receivedAt?: Date;
}

/** A statement that was verified, and who made it. */
export interface Verified<K extends StatementType> {
  readonly statement: Extract<Statement, { typ: K }>;
  readonly attested: Attested;
}

/** Verifies something signed. Throws `ApprovalRefused`, with the reason in the message and its code in `facts.reason`. */
export async function verifySigned<K extends StatementType>(
  signed: Signed,
  { typ, directory, now, receivedAt = now }: Expected<K>,
): Promise<Verified<K>> {
  const { statement: text, signature } = partsOf(signed);
  const statement = readStatement(text, typ);
  demandTime(statement, receivedAt);
  const message = Buffer.from(text);
  const isSsh = signature.startsWith('-----');
  const read = isSsh ? readSshsig(signature) : readJws(signature);
  const { party, key } = holderNow(directory, read.keyId, now);
  demandSigner(statement, party);
  const isGood = 'presence' in read ? read.isOf(message) : await read.isOf(message, jwkOf(key));
  if (!isGood) throw refused('bad-signature', `the signature is not that of ${party.name} over this statement`);
  const attested = {
    name: party.name,
    kind: party.kind,
    groups: party.groups,
    ...(party.owner !== undefined && { owner: party.owner }),
    key: key.id,
    presence: 'presence' in read ? read.presence : ('none' as const),
    at: now.toISOString(),
    statement: `sha256:${createHash('sha256').update(message).digest('hex')}`,
  };
  return { statement, attested };
}

/** The name of who has to have signed a statement. */
export function signerOf(statement: Statement): string {
  switch (statement.typ) {
    case 'tenure/request@v1':
      return statement.requester;
    case 'tenure/decision@v1':
    case 'tenure/advance@v1':
      return statement.approver;
    case 'tenure/delegation@v1':
      return statement.from;
    case 'tenure/review@v1':
      return statement.reviewer;
  }
}

/** What comes out of a history or a signal may be anything. */
function partsOf(signed: Signed): Signed {
  const { statement, signature } = (signed ?? {}) as { statement?: unknown; signature?: unknown };
  if (typeof statement === 'string' && typeof signature === 'string') return { statement, signature };
  throw refused('malformed', 'it is not signed: a statement and a signature are expected');
}

function demandTime(statement: Statement, at: Date): void {
  const { typ, iat, exp } = statement;
  const [from, to, now] = [Date.parse(iat), Date.parse(exp), at.getTime()];
  if (Number.isNaN(now)) throw refused('malformed', 'when it was received is not known');
  if (to <= from) throw refused('malformed', 'the statement ends before it begins');
  if (from > now + clockSkewMs)
    throw refused(
      'issued-in-the-future',
      `the statement says it was made at ${iat}, and it is ${at.toISOString()} here; check the clocks`,
    );
  if (now >= to) throw refused('expired', `the statement expired at ${exp}; sign it anew`);
  if (to - from > longestLifeMs[typ])
    throw refused('lives-too-long', `the statement is made for longer than ${longestLifeMs[typ] / 60_000} minutes`);
  if ('nbf' in statement && now < Date.parse(statement.nbf))
    throw refused('not-valid-yet', `the statement does not hold before ${statement.nbf}`);
}

function holderNow(directory: Directory, keyId: string, now: Date): { party: Party; key: PartyKey } {
  const found = findKey(directory, keyId);
  if (!found) throw refused('unknown-key', 'the key that signed is nobody’s in the directory');
  const { party, key } = found;
  if (!isValidAt(key, now)) throw refused('key-not-valid', `the key ${key.id} of ${party.name} does not hold now`);
  if (!isValidAt(party, now)) throw refused('party-not-valid', `${party.name} is in the directory, but not for now`);
  return found;
}

function demandSigner(statement: Statement, { name }: Party): void {
  if (signerOf(statement) === name) return;
  throw refused(
    'other-signer',
    `the key that signed is that of ${name}, and the statement is made in the name of somebody else`,
  );
}

/** Only a JWK signs a JWS: its text in the directory was checked when that was read. */
function jwkOf({ text }: PartyKey): ReturnType<typeof readJwk> {
  return readJwk(JSON.parse(text) as Record<string, unknown>);
}
