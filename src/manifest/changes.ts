/** Field-level differences between two declarations of an identity, each with what it will do. */
import { canonicalJson } from '../canonical-json.js';
import { differences, needsRotation, type Difference } from '../domain/difference.js';
import type { IdentitySpec } from '../domain/identity.js';
import { formatPath } from './problem.js';

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
type Words = (difference: Difference) => string;

const always =
  (text: string): Words =>
  () =>
    text;

/** What a change in each part of a declaration does. `name` never changes: another name is another identity. */
const consequences: Readonly<Record<Exclude<Part, 'name'>, Words>> = {
  kind: always('a new credential is made, by the rules for the new kind; the old one is ended'),
  owner: always('the new owner is asked and told from then on; a new credential is made, the old one is ended'),
  purpose: always('it is recorded; nothing happens at the target'),
  environment: always('a new credential is made, by the rules of both environments; the old one is ended'),
  dataClass: always('a new credential is made, by the rules of both classes; the old one is ended'),
  target: targetWords,
  deliver: deliverWords,
  consumers: always('the consumers as declared are told of the new credential; the old one is ended'),
  rotation: rotationWords,
  tags: always('a new credential is made, by the rules for these tags; the old one is ended'),
};

/** Everything that differs, in the order of the manifest's fields. */
export function changesBetween(before: IdentitySpec, after: IdentitySpec): FieldChange[] {
  const parts = Object.keys(consequences) as Exclude<Part, 'name'>[];
  return parts.flatMap((part) => {
    const words = consequences[part];
    return differences([part], before[part], after[part]).map((difference) => ({
      path: formatPath(difference.path),
      from: difference.from,
      to: difference.to,
      consequence: words(difference),
      effect: needsRotation(difference.path) ? 'rotate' : 'amend',
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
  if (field === 'strategy') return 'a new credential is made this way; the old one is ended';
  if (field === 'everyMs') return 'the credential is rotated, and the next rotation is scheduled anew';
  if (needsRotation(path)) return 'the credential is rotated, and it holds from that rotation on';
  return 'the next rotation is scheduled anew; the current credential stays';
}
