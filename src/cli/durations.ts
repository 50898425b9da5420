import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../manifest/duration.js';

/** Milliseconds from an option such as `90s`, `5m` or `1h30m`: durations read as in manifests. */
export function durationOption(text: string): number {
  const ms = parseDuration(text.trim());
  if (ms === undefined || ms === 0) throw new InvalidArgumentError('expected a duration such as 90s, 5m or 1h30m');
  return ms;
}
