/**
 * Wire names: workflow types, messages, task queues, ids. Renaming one needs a decision record and a patch marker.
 */
import type { IdentityState } from './identity.js';
import type { ProcessKind, Timing } from './process.js';
import type { ChangeRequest } from './request.js';
import type { Signed } from './statement.js';

/** Where identities, processes and campaigns run. */
export const taskQueue = 'tenure';
/** Where emergency revocations run, so that a backlog of rotations never stands in front of them. */
export const emergencyTaskQueue = 'tenure-emergency';

export const identityWorkflow = 'identity';
export const campaignWorkflow = 'campaign';

/** Messages of the identity workflow. */
export const identityMessages = {
  /** Update: (ChangeRequest) => Answer. */
  request: 'request',
  /** Signal with the same argument, for callers that do not wait. */
  requestSignal: 'requestLater',
  /** Query: () => IdentityState. */
  state: 'state',
} as const;

/** Messages of every process workflow. */
export const processMessages = {
  /** Signal: (Ballot). */
  decide: 'decide',
  /** Signal: (ConsumerAcknowledgement). */
  acknowledge: 'acknowledge',
  /** Signal: (Resume): a parked process tries again, or goes on without what it waits for. */
  resume: 'resume',
  /** Signal: (Abandon): a parked process gives up: it undoes what it can and lists what it leaves. */
  abandon: 'abandon',
  /** Signal: (Preempt): an emergency takes over; stop without undoing. */
  preempt: 'preempt',
  /** Signal: (GiveBack): lent rights are not needed any more. */
  giveBack: 'giveBack',
  /** Query: () => ProcessState. */
  process: 'process',
} as const;

/** What a query fails with that came before the workflow task of what has just happened; `workflows/interceptors.ts` says why. */
export const aheadOfItsTask = 'the workflow is about to take up what has just happened; ask again';

/** Workflow id of an identity, for its whole life. */
export function identityId(name: string): string {
  return `nhi/${name}`;
}

/** Workflow id of a process, which is also its operation id. */
export function processId(name: string, kind: ProcessKind, processNumber: number): string {
  return `nhi/${name}/${kind}/${processNumber}`;
}

/** Takes a process id apart; undefined when `id` is none. */
export function parseProcessId(id: string): { name: string; kind: string; number: number } | undefined {
  const match = /^nhi\/([^/]+)\/([a-z]+)\/(\d+)$/.exec(id);
  return match ? { name: match[1]!, kind: match[2]!, number: Number(match[3]) } : undefined;
}

/** Start argument of the identity workflow. */
export interface IdentityStart {
  readonly name: string;
  /** Set by continue-as-new only. */
  readonly state?: IdentityState;
  readonly timing?: Timing;
  /** Continue as new after about this many events, as the identity reckons them. */
  readonly longestHistory?: number;
}

/**
 * What every word to a process carries: who says it, and their signature, a `tenure/request@v1` over the digest of the rest of the word.
 * Its subject is the operation.
 */
export interface Word {
  readonly by: string;
  readonly signed?: Signed;
}

/** Argument of `resume`. */
export interface Resume extends Word {
  /** The park that it answers, by its `since`: the same word said later, by whomever, answers no other. */
  readonly since: string;
  readonly note?: string;
  /** `go-on` leaves out what is waited for (an open session, a consumer); `again` tries or waits once more. */
  readonly how: 'again' | 'go-on';
}

/** Argument of `abandon`. */
export interface Abandon extends Word {
  readonly since: string;
  readonly reason: string;
}

/** Argument of `giveBack`. */
export interface GiveBack extends Word {
  readonly note?: string;
}

/** Argument of `preempt`. */
export interface Preempt {
  readonly by: string;
  /** The emergency that takes over: its signature is what stops the process. */
  readonly request: ChangeRequest;
}

/** Argument of `acknowledge`. */
export interface ConsumerAcknowledgement extends Word {
  readonly consumer: string;
  /** The version taken; an acknowledgement of another version counts for nothing. */
  readonly version: string;
}

/** Somebody starts a campaign by hand. Its subject is the workflow id of that campaign, so that it starts no other. */
export interface Trigger extends Word {
  readonly policy: string;
}

/** Start argument of the campaign workflow. */
export interface CampaignStart {
  /** Name of the rotation policy. */
  readonly policy: string;
  /** Who started it, where that was not its schedule. */
  readonly asked?: Trigger;
  /** The policy says to ask people where no window is left. */
  readonly asks?: boolean;
  /** While it is at work it looks again for what became due, this often (milliseconds) and at most so many times. */
  readonly lookAgainMs?: number;
  readonly looks?: number;
}
