/**
 * What a swept worker tells at every step, and where it is made to fail: at both edges of every activity, and at both edges of
 * every call to a target or a store, so that a fault can also strike between two effects of one activity.
 */
import type { ActivityProbe } from '../../activities/interceptor.js';
import { TenureError, type ErrorCode } from '../../src/domain/errors.js';
import { identityId, parseProcessId } from '../../src/domain/wire.js';
import type { Material, Store } from '../../src/stores/store.js';
import type { Target } from '../../src/targets/target.js';
import { withCanary } from '../support/canary.js';

/** A worker has come to an edge of a step. Plain JSON: it crosses from the worker's process to the sweep's. */
export interface Meeting {
  readonly identity: string;
  /** Id of the process, or of the identity for what it does itself. */
  readonly operation: string;
  /** An activity, `handOver:<event>`, or a call such as `target.retire`, `store.publish`. */
  readonly step: string;
  readonly edge: 'before' | 'after';
  readonly attempt: number;
  /** With `notify`: what is told. */
  readonly text?: string;
}

/** What the sweep answers: go on, or fail with this code. No answer at all is a hang, or the end of the worker. */
export type Verdict = ErrorCode | 'go';

export interface Witness {
  meet(meeting: Meeting): Promise<Verdict>;
  /** New material was made. Answered before anybody else sees it. */
  minted(identity: string, operation: string, material: Material): Promise<void>;
  /** The target is about to hear of this material. */
  installing(identity: string, operation: string, material: Material): Promise<void>;
}

/** The probe of a swept worker. */
export function probeOf(witness: Witness): ActivityProbe {
  return async (edge, { info }, args) => {
    const operation = info.workflowExecution?.workflowId ?? '';
    const identity = nameIn(operation);
    if (identity === undefined) return;
    const [input] = args as [{ event?: string; text?: string } | undefined];
    const step = input?.event === undefined ? info.activityType : `${info.activityType}:${input.event}`;
    const text = info.activityType === 'notify' ? { text: input?.text ?? '' } : {};
    obey(await witness.meet({ identity, operation, step, edge, attempt: info.attempt, ...text }));
  };
}

const targetCalls = ['install', 'uninstall', 'retire', 'purge', 'remove', 'bringRights'] as const;

/** The same target with the sweep at both edges of each call that changes something, and passwords that a scan can find. */
export function watchedTarget(target: Target, witness: Witness): Target {
  const watched = Object.create(target) as Target;
  watched.mint = async (subject, principal) => {
    const material = withCanary(await target.mint(subject, principal));
    await witness.minted(subject.identity, subject.operation, material);
    return material;
  };
  for (const call of targetCalls) {
    const method = target[call].bind(target) as (...args: unknown[]) => Promise<unknown>;
    const around = async (...args: unknown[]): Promise<unknown> => {
      const [{ identity, operation }, , material] = args as Parameters<Target['install']>;
      const at = { identity, operation, step: `target.${call}`, attempt: 1 };
      obey(await witness.meet({ ...at, edge: 'before' }));
      if (call === 'install') await witness.installing(identity, operation, material);
      const result = await method(...args);
      obey(await witness.meet({ ...at, edge: 'after' }));
      return result;
    };
    Object.assign(watched, { [call]: around });
  }
  return watched;
}

const storeCalls = ['stage', 'publish', 'withdraw', 'discard', 'purge', 'clear', 'raise'] as const;

/** The same store with the sweep at both edges of each call that changes something. */
export function watchedStore(store: Store, witness: Witness): Store {
  const watched = Object.create(store) as Store;
  for (const call of storeCalls) {
    const method = store[call].bind(store) as (...args: unknown[]) => Promise<unknown>;
    const around = async (...args: unknown[]): Promise<unknown> => {
      const [, { operation }] = args as Parameters<Store['publish']>;
      const at = { identity: nameIn(operation) ?? '', operation, step: `store.${call}`, attempt: 1 };
      obey(await witness.meet({ ...at, edge: 'before' }));
      const result = await method(...args);
      obey(await witness.meet({ ...at, edge: 'after' }));
      return result;
    };
    Object.assign(watched, { [call]: around });
  }
  return watched;
}

/** Name of the identity that a workflow works for. */
export function nameIn(workflowId: string): string | undefined {
  const own = workflowId.startsWith(identityId('')) ? workflowId.slice(identityId('').length) : undefined;
  return parseProcessId(workflowId)?.name ?? (own?.includes('/') ? undefined : own);
}

function obey(verdict: Verdict): void {
  if (verdict !== 'go') throw new TenureError(verdict, 'the sweep says so');
}
