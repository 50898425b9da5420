import type { ProcessState } from '../src/domain/process.js';

/** What lasts longer than this is no work any more, milliseconds: a drain may take days. */
const longestPauseMs = 60_000;

/**
 * What a process waits for that nobody inside brings about: a person, a consumer, the end of a session or of a freeze. Undefined
 * while it is at work.
 */
export function waitOf({ identity, parked, gate, stages }: ProcessState, now: number): string | undefined {
  if (parked) return `parked at ${parked.stage}: ${parked.why}; see: tenure show ${identity}`;
  if (gate?.outcome === 'open')
    return `waits for ${gate.needed} approval(s) until ${gate.deadline}: tenure approve ${identity}`;
  const waiting = stages.find(({ status }) => status === 'waiting');
  if (!waiting || now - Date.parse(waiting.startedAt ?? '') < longestPauseMs) return undefined;
  return `waits at ${waiting.name}: ${waiting.note ?? 'for something outside'}`;
}
