/**
 * What people and automations sign: plain statements, each for one purpose. The signed bytes are the statement's canonical JSON
 * (RFC 8785), so a statement has one form only. Nothing is verified here; that is an activity's work.
 */

/** A statement as it travels: its canonical JSON, and an armored SSHSIG or a compact JWS (detached payload) over these bytes. */
export interface Signed {
  readonly statement: string;
  readonly signature: string;
}

/** Fields of every statement. Instants are ISO 8601 in UTC with milliseconds. */
interface Common {
  readonly v: 1;
  readonly iat: string;
  readonly exp: string;
}

/** What can be asked with a signature: the processes, an amendment, and words to a process or an exception that is under way. */
export const verbs = [
  'provision',
  'rotate',
  'validate',
  'revoke',
  'offboard',
  'elevate',
  'amend',
  'resume',
  'abandon',
  'give-back',
  'acknowledge',
  'except',
  'withdraw-exception',
  'review',
  'trigger',
] as const;
export type Verb = (typeof verbs)[number];

/** Somebody asks for something. */
export interface RequestStatement extends Common {
  readonly typ: 'tenure/request@v1';
  /** The id of the request: asked once, done once. */
  readonly id: string;
  readonly verb: Verb;
  /** An identity's name; for words to a process its operation id; for an exception its id; for a campaign its workflow id. */
  readonly subject: string;
  /** `sha256:<hex>` of the content's canonical JSON: the whole request without its signature. */
  readonly digest: string;
  readonly requester: string;
  /** For whom an automation asks, e.g. the person who set up the schedule. */
  readonly onBehalfOf?: string;
}

/** Somebody decides at a gate, on one plan, in one round of one run. */
export interface DecisionStatement extends Common {
  readonly typ: 'tenure/decision@v1';
  /** Workflow id, and the run of it that asked. */
  readonly operation: string;
  readonly run: string;
  /** The nonce of the round. */
  readonly round: string;
  /** `sha256:<hex>` each: the plan, the policies that ask for this gate, and what the gate showed. */
  readonly plan: string;
  readonly policy: string;
  readonly evidence: string;
  readonly requester: string;
  readonly approver: string;
  /** Whose delegation the approver uses. */
  readonly onBehalfOf?: string;
  readonly decision: 'approve' | 'deny' | 'withdraw';
  readonly reason: string;
}

/** Somebody who will be absent lets one other person decide. Never passed on. */
export interface DelegationStatement extends Common {
  readonly typ: 'tenure/delegation@v1';
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** The only groups of the absent person that it lends. */
  readonly groups: readonly string[];
  /** The only environments that it holds for; empty is all. */
  readonly environments: readonly string[];
  /** Before this instant it does not hold. */
  readonly nbf: string;
  readonly reason: string;
}

/** An approval given in advance, for a bounded task. It counts only where a policy allows that in so many words. */
export interface AdvanceStatement extends Common {
  readonly typ: 'tenure/advance@v1';
  readonly id: string;
  readonly approver: string;
  readonly kinds: readonly string[];
  /** The identities by name; each of them once for each kind. */
  readonly identities: readonly string[];
  readonly reason: string;
}

/** What somebody found who reviewed an elevation afterwards. */
export interface ReviewStatement extends Common {
  readonly typ: 'tenure/review@v1';
  readonly operation: string;
  /** `sha256:<hex>` of the evidence record that was reviewed. */
  readonly evidence: string;
  readonly reviewer: string;
  readonly verdict: 'justified' | 'drill' | 'misuse';
  readonly notes: string;
}

export type Statement = RequestStatement | DecisionStatement | DelegationStatement | AdvanceStatement | ReviewStatement;
export type StatementType = Statement['typ'];

/** The namespace of every SSH signature of ours (`ssh-keygen -Y sign -n`), and the `typ` of every JWS. */
export const signatureNamespace = 'tenure';

/** The longest life of a statement, milliseconds. A request may wait for a worker; a decision may not wait. */
export const longestLifeMs: Readonly<Record<StatementType, number>> = {
  'tenure/request@v1': 24 * 3_600_000,
  'tenure/decision@v1': 10 * 60_000,
  'tenure/delegation@v1': 31 * 86_400_000,
  'tenure/advance@v1': 7 * 86_400_000,
  'tenure/review@v1': 10 * 60_000,
};

/** How far ahead of ours another clock may be, milliseconds. */
export const clockSkewMs = 30_000;
