const units = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 } as const;
const shape = /^(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$/;

/** A regular expression for editors; {@link parseDuration} is what decides. */
export const durationPattern = '^(?:\\d{1,6}d)?(?:\\d{1,6}h)?(?:\\d{1,6}m)?(?:\\d{1,6}s)?$';

/** No duration in a manifest is longer: ten years. */
export const longestDurationMs = 3650 * units.d;

/** Reads `30d`, `1h30m` or `90s`: whole numbers, units from large to small. Milliseconds, or undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const match = shape.exec(text);
  if (!match || text === '') return undefined;
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
  ];
  const total = days * units.d + hours * units.h + minutes * units.m + seconds * units.s;
  return total <= longestDurationMs ? total : undefined;
}

/** Writes milliseconds as {@link parseDuration} reads them, e.g. `1h30m`; what is less than a second is left out. */
export function formatDuration(ms: number): string {
  let rest = Math.floor(ms / 1000) * 1000;
  let text = '';
  for (const [unit, size] of Object.entries(units)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) text += `${count}${unit}`;
  }
  return text === '' ? '0s' : text;
}
