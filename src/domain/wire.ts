/**
 * Wire names: workflow types, messages, task queues, ids. Renaming one needs a decision record and a patch marker.
 */
import type { ProcessKind } from './process.js';

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
  /** Signal: (Vote). */
  decide: 'decide',
  /** Signal: ({ consumer, by, version }). */
  acknowledge: 'acknowledge',
  /** Signal: ({ by, note? }): a parked process tries again. */
  resume: 'resume',
  /** Signal: ({ by, reason }): a parked process gives up and lists what it leaves. */
  abandon: 'abandon',
  /** Signal: ({ by }): an emergency takes over; stop without undoing. */
  preempt: 'preempt',
  /** Query: () => ProcessState. */
  process: 'process',
} as const;

/** Workflow id of an identity, for its whole life. */
export function identityId(name: string): string {
  return `nhi/${name}`;
}

/** Workflow id of a process, which is also its operation id. */
export function processId(name: string, kind: ProcessKind, epoch: number): string {
  return `nhi/${name}/${kind}/${epoch}`;
}

/** Takes a process id apart; undefined when `id` is none. */
export function parseProcessId(id: string): { name: string; kind: string; epoch: number } | undefined {
  const match = /^nhi\/([^/]+)\/([a-z]+)\/(\d+)$/.exec(id);
  return match ? { name: match[1]!, kind: match[2]!, epoch: Number(match[3]) } : undefined;
}
