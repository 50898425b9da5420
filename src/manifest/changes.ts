/** Field-level differences between two declarations of an identity, each with what it will do. */
import { canonicalJson } from '../canonical-json.js';
import type { IdentitySpec } from '../domain/identity.js';
import { formatPath } from './problem.js';
import type { Path } from './problem.js';

/** One field that differs. `from` and `to` are plain JSON; what was not there is undefined. */
export interface FieldChange {
  /** E.g. `target.scope.grants[0].may`. */
  readonly path: string;
  readonly from: unknown;
  readonly to: unknown;
  /** What the change will do, in one sentence. */
  readonly consequence: string;
  /** `rotate`: a new credential is needed. `amend`: nothing happens at the target. */
  readonly effect: 'rotate' | 'amend';
}

type Part = keyof IdentitySpec;
type Consequence = { readonly effect: FieldChange['effect']; readonly words: (difference: Difference) => string };
type Difference = Pick<FieldChange, 'from' | 'to'> & { readonly path: Path };

const amend = (text: string): Consequence => ({ effect: 'amend', words: () => text });

/** What a change in each part of a declaration does. `name` never changes: another name is another identity. */
const consequences: Readonly<Record<Exclude<Part, 'name'>, Consequence>> = {
  kind: amend('it is listed under the new kind; nothing happens at the target'),
  owner: amend('the new owner is asked and told from now on; nothing happens at the target'),
  purpose: amend('it is recorded; nothing happens at the target'),
  environment: amend('the rules of the new environment hold from now on; nothing happens at the target'),
  dataClass: amend('it is recorded; nothing happens at the target'),
  target: { effect: 'rotate', words: targetWords },
  deliver: { effect: 'rotate', words: deliverWords },
  consumers: amend('the consumers as declared are told of the next credential; nothing happens at the target'),
  rotation: { effect: 'amend', words: rotationWords },
  tags: amend('it is listed under the new tags; nothing happens at the target'),
};

/** Everything that differs, in the order of the manifest's fields. */
export function changesBetween(before: IdentitySpec, after: IdentitySpec): FieldChange[] {
  const parts = Object.keys(consequences) as Exclude<Part, 'name'>[];
  return parts.flatMap((part) => {
    const { effect, words } = consequences[part];
    return differences([part], before[part], after[part]).map((difference) => ({
      path: formatPath(difference.path),
      from: difference.from,
      to: difference.to,
      consequence: words(difference),
      effect,
    }));
  });
}

function targetWords({ path, from, to }: Difference): string {
  if (path[1] === 'name') return 'a new credential is made at the new target, and the old one ends at the old target';
  return `the new credential ${growth(from, to)}; the old one is ended`;
}

function growth(from: unknown, to: unknown): string {
  const listed = (value: unknown) => (Array.isArray(value) ? value : value === undefined ? [] : [value]);
  const keys = (value: unknown) => new Set(listed(value).map((item) => canonicalJson(item)));
  const [old, now] = [keys(from), keys(to)];
  const grows = [...now].some((item) => !old.has(item));
  const shrinks = [...old].some((item) => !now.has(item));
  if (grows && shrinks) return 'gets the rights as declared now, some more and some fewer';
  if (grows) return 'may do more';
  return shrinks ? 'may do less' : 'gets the rights as declared now';
}

function deliverWords({ path, from, to }: Difference): string {
  if (path.length > 1 && path[1] === 0)
    return 'the new credential is kept in the new place, which is authoritative from then on; the old place is emptied';
  if (from === undefined) return 'the new credential is kept there as well';
  return to === undefined
    ? 'the new credential is no longer kept there, and what is there is destroyed'
    : 'the new credential is kept in the new place, and the old place is emptied';
}

function rotationWords({ path }: Difference): string {
  const field = path[1];
  if (field === 'strategy') return 'the next rotation goes this way; the current credential stays';
  if (['name', 'everyMs', 'cron', 'window', 'jitterMs', 'freeze', 'whenNoWindow'].includes(String(field))) {
    return 'the next rotation is scheduled anew; the current credential stays';
  }
  return 'it holds from the next rotation on; the current credential stays';
}

/** Goes down into mappings; in lists whose order does not matter it compares the members, elsewhere the places. */
function differences(path: Path, from: unknown, to: unknown): Difference[] {
  if (isSame(from, to)) return [];
  if (isMapping(from) && isMapping(to)) {
    return [...new Set([...Object.keys(from), ...Object.keys(to)])].flatMap((key) =>
      differences([...path, key], from[key], to[key]),
    );
  }
  if (!Array.isArray(from) || !Array.isArray(to)) return [{ path, from, to }];
  if ([...from, ...to].every((item) => !isMapping(item) && !Array.isArray(item)))
    return isReordered(path, from, to) ? [] : [{ path, from, to }];
  if (isReordered(path, from, to)) return [];
  const length = Math.max(from.length, to.length);
  return Array.from({ length }, (_, index) => differences([...path, index], from[index], to[index])).flat();
}

/** The order of deliveries and of a command's words matters; that of rights and consumers does not. */
function isReordered(path: Path, from: readonly unknown[], to: readonly unknown[]): boolean {
  if (path[0] === 'deliver' || path.at(-1) === 'command') return false;
  const sorted = (items: readonly unknown[]) => items.map((item) => canonicalJson(item)).sort();
  return isSame(sorted(from), sorted(to));
}

function isSame(one: unknown, other: unknown): boolean {
  if (one === undefined || other === undefined) return one === other;
  return canonicalJson(one) === canonicalJson(other);
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
