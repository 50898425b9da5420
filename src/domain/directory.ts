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
export type Presence = 'none' | 'touch' | 'pin';

/** Somebody of whom a signature was verified: what was true at `at`. Kept in histories and evidence. */
export interface Attested {
  readonly name: string;
  readonly kind: PartyKind;
  readonly groups: readonly string[];
  readonly owner?: string;
  /** Id of the key. */
  readonly key: string;
  readonly presence: Presence;
  readonly at: string;
  /** `sha256:<hex>` of the statement. */
  readonly statement: string;
}
