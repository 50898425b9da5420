import { InvalidArgumentError } from 'commander';
import { formatDuration, parseDuration } from '../manifest/duration.js';

/** Milliseconds from an option such as `90s`, `5m` or `1h30m`: durations read as in manifests. */
export function durationOption(text: string): number {
  const ms = parseDuration(text.trim());
  if (ms === undefined || ms === 0) throw new InvalidArgumentError('expected a duration such as 90s, 5m or 1h30m');
  return ms;
}

/** The same with a bound, which is told before anything is sent or signed. */
export function durationUpTo(longestMs: number): (text: string) => number {
  return (text) => {
    const ms = durationOption(text);
    if (ms > longestMs) throw new InvalidArgumentError(`it may be ${formatDuration(longestMs)} at most`);
    return ms;
  };
}
