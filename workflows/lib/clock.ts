import { condition } from '@temporalio/workflow';

/** Workflow time, ISO 8601. */
export function now(): string {
  return new Date().toISOString();
}

/** The instant `ms` milliseconds from now, ISO 8601. */
export function after(ms: number): string {
  return new Date(Date.now() + ms).toISOString();
}

/** Waits for `ready`, or until `deadline` (ISO 8601); tells which came first. */
export function until(ready: () => boolean, deadline: string, summary: string): Promise<boolean> {
  return condition(ready, Math.max(1, Date.parse(deadline) - Date.now()), { summary });
}
