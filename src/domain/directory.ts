/** Who there is: people and automations with their keys. Pure; reading the operator's file is done elsewhere. */

/** Only a person approves. Services, agents and automations can ask. */
export const partyKinds = ['person', 'service', 'agent', 'automation'] as const;
export type PartyKind = (typeof partyKinds)[number];

/** One public key of somebody. Instants are ISO 8601. */
export interface PartyKey {
  /** `SHA256:<base64>` of an SSH key's blob, as `ssh-keygen -l` prints it, or the RFC 7638 thumbprint of a JWK as `jwk:<base64url>`. */
  readonly id: string;
  /** The key as written: an OpenSSH public key line, or the JWK as JSON. */
  readonly text: string;
  /** It lives in a security key (`sk-…`), whose signatures say whether it was touched and unlocked. */
  readonly hardware: boolean;
  readonly from?: string;
  readonly to?: string;
}

/** Somebody who can sign. */
export interface Party {
  readonly name: string;
  readonly kind: PartyKind;
  readonly groups: readonly string[];
  /** The person who answers for a service, an agent or an automation. */
  readonly owner?: string;
  readonly keys: readonly PartyKey[];
  readonly from?: string;
  readonly to?: string;
}

export interface Directory {
  readonly parties: readonly Party[];
  /** Delegations and advance approvals that hold no more, by id. */
  readonly revoked: readonly string[];
}

/** Whether the user of a security key touched it, and whether they also gave its PIN or biometric. */
export const presences = ['none', 'touch', 'pin'] as const;
export type Presence = (typeof presences)[number];

/** Somebody of whom a signature was verified: what was true at `at`. Kept in histories and evidence. */
export interface Attested {
  readonly name: string;
  readonly kind: PartyKind;
  readonly groups: readonly string[];
  readonly owner?: string;
  /** The people for whom it was asked, where that was somebody else. */
  readonly behind?: readonly string[];
  /** Id of the key. */
  readonly key: string;
  readonly presence: Presence;
  readonly at: string;
  /** `sha256:<hex>` of the statement. */
  readonly statement: string;
}

/** A time in which something holds: from an instant, to before another. */
export interface Period {
  readonly from?: string;
  readonly to?: string;
}

/** Says whether a period has begun and has not ended. */
export function isValidAt({ from, to }: Period, now: Date): boolean {
  const ms = now.getTime();
  return (from === undefined || ms >= Date.parse(from)) && (to === undefined || ms < Date.parse(to));
}

/** The party of this name, whether it holds now or not. */
export function partyNamed(directory: Directory, name: string): Party | undefined {
  return directory.parties.find((party) => party.name === name);
}

/** Who has a key, whether both hold now or not. */
export function findKey(
  directory: Directory,
  keyId: string,
): { readonly party: Party; readonly key: PartyKey } | undefined {
  for (const party of directory.parties) {
    const key = party.keys.find(({ id }) => id === keyId);
    if (key) return { party, key };
  }
  return undefined;
}

/** Whose key this is now; undefined where the key or its holder does not hold now. */
export function holderOf(directory: Directory, keyId: string, now: Date): Party | undefined {
  const found = findKey(directory, keyId);
  return found && isValidAt(found.key, now) && isValidAt(found.party, now) ? found.party : undefined;
}

/**
 * The people who answer for what somebody asks: themselves, or the owner of an automation, and for whom it was asked. None of them may
 * approve it.
 */
export function personsBehind({
  name,
  kind,
  owner,
  behind = [],
}: Pick<Party, 'name' | 'kind' | 'owner'> & Pick<Attested, 'behind'>): readonly string[] {
  if (kind === 'person') return [name, ...behind];
  return [...(owner === undefined ? [] : [owner]), ...behind];
}

/** Only people approve. */
export function mayApprove({ kind }: Pick<Party, 'kind'>): boolean {
  return kind === 'person';
}
