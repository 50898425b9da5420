/** Where two declarations of an identity differ, and which of that only a process may bring about. Pure. */
import type { IdentitySpec } from './identity.js';

/** A path inside a declaration. */
export type FieldPath = readonly (string | number)[];

export interface Difference {
  readonly path: FieldPath;
  readonly from: unknown;
  readonly to: unknown;
}

/** Everything that differs below `path`. In lists whose order does not matter it compares the members, elsewhere the places. */
export function differences(path: FieldPath, from: unknown, to: unknown): Difference[] {
  if (isSame(from, to)) return [];
  if (isMapping(from) && isMapping(to)) {
    return [...new Set([...Object.keys(from), ...Object.keys(to)])].flatMap((key) =>
      differences([...path, key], from[key], to[key]),
    );
  }
  if (!Array.isArray(from) || !Array.isArray(to)) return [{ path, from, to }];
  if (isReordered(path, from, to)) return [];
  if ([...from, ...to].every((item) => !isMapping(item) && !Array.isArray(item))) return [{ path, from, to }];
  const length = Math.max(from.length, to.length);
  return Array.from({ length }, (_, index) => differences([...path, index], from[index], to[index])).flat();
}

/** What says when a rotation starts, and nothing else: which schedule, at what times. */
const timing: readonly unknown[] = ['name', 'cron', 'window', 'jitterMs'];

/**
 * Whether a change of this field goes with a rotation, of which policy decides on the whole and which people approve. Everything does
 * but the words that describe it and the pure timing: an amendment waits at no gate, so a program to run, another owner who may then
 * approve or a freeze must not come in by it.
 */
export function needsRotation([part, field]: FieldPath): boolean {
  if (part === 'purpose') return false;
  return part !== 'rotation' || !timing.includes(field);
}

/** The first field that an amendment would change and may not, e.g. `target.scope`. */
export function beyondAmendment(before: IdentitySpec, after: IdentitySpec): string | undefined {
  const found = differences([], before, after).find(({ path }) => needsRotation(path));
  return found?.path.slice(0, 2).join('.');
}

/** The same data, whatever the order of the keys. */
export function isSame(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other);
}

/** The order of deliveries and of a command's words matters; that of rights and consumers does not. */
function isReordered(path: FieldPath, from: readonly unknown[], to: readonly unknown[]): boolean {
  if (path[0] === 'deliver' || path.at(-1) === 'command') return false;
  const sorted = (items: readonly unknown[]) => items.map(canonical).sort();
  return isSame(sorted(from), sorted(to));
}

function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner: unknown) =>
      isMapping(inner) ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1))) : inner,
    ) ?? 'undefined'
  );
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
