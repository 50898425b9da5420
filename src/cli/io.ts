/** Everything that the command line takes from its surroundings, so that a test can stand in for a terminal. */
export interface Io {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Fires at the first Ctrl-C or SIGTERM. Verbs leave what they follow, which goes on by itself. */
  readonly interrupted: AbortSignal;
}

/** The exit codes that are promised to scripts. */
export const exitCodes = { success: 0, failure: 1, usage: 2, interrupted: 130 } as const;

/** Does `work` at the first Ctrl-C, also when that has been. */
export function onInterrupt(interrupted: AbortSignal, work: () => void): void {
  if (interrupted.aborted) work();
  else interrupted.addEventListener('abort', work, { once: true });
}
