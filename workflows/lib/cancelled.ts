import { CancellationScope, CancelledFailure } from '@temporalio/workflow';

/** Stops here where a cancel has come that nothing has heard yet: what was waited for last is not stopped by one, and was done. */
export function heedCancel(): void {
  if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('cancelled');
}

/**
 * For starting a child. Where a cancel comes between asking for one that is not cancelled with its parent and the answer, the answer
 * never comes, and the parent waits for ever. It comes soon, so no cancel is needed.
 */
export function unheard<T>(start: () => Promise<T>): Promise<T> {
  return CancellationScope.nonCancellable(start);
}

/** How a process ended that an operator cancelled. An emergency has changed nothing itself; but what ran before was stopped for it. */
export function cancelledInWords(isEmergency: boolean): string {
  return isEmergency
    ? 'cancelled by an operator before it changed anything'
    : 'cancelled by an operator; everything is as it was before';
}
