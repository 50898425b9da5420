/** Rights that an identity is lent for a time, beyond those that are declared. Pure. */
import { isSame } from './difference.js';
import type { IdentitySpec } from './identity.js';
import type { Elevation } from './request.js';

/** Break-glass is for hours: what is needed longer is a change of the declared scope. Milliseconds. */
export const longestElevationMs = 4 * 3_600_000;
export const shortestElevationMs = 1_000;

type Scope = IdentitySpec['target']['scope'];

/** The declared identity with the lent rights in its scope. {@link whyNotLent} has to have found nothing. */
export function elevatedSpec(spec: IdentitySpec, { scope }: Elevation): IdentitySpec {
  return { ...spec, target: { ...spec.target, scope: merged(spec.target.scope, scope) } };
}

/** Why these rights cannot be lent beside those of `scope`, as `path: why`; undefined where they can. */
export function whyNotLent(scope: Scope, elevation: Elevation): string | undefined {
  const conflict = conflictIn(scope, elevation.scope, 'elevation.scope');
  if (conflict !== undefined) return conflict;
  return isSame(merged(scope, elevation.scope), scope)
    ? 'elevation.scope: it names no right beyond the declared ones'
    : undefined;
}

/** Lists grow by what they lack, mappings by their keys; what is neither stays as declared. */
function merged(declared: Scope, more: Scope): Scope {
  const added = Object.entries(more).map(([key, value]) => [
    key,
    Object.hasOwn(declared, key) ? mergedValue(declared[key], value) : value,
  ]);
  return { ...declared, ...(Object.fromEntries(added) as Scope) };
}

function mergedValue(declared: unknown, more: unknown): unknown {
  if (Array.isArray(declared) && Array.isArray(more))
    return [...declared, ...more.filter((item) => !declared.some((one) => isSame(one, item)))];
  return isMapping(declared) && isMapping(more) ? merged(declared, more) : declared;
}

/** An elevation adds to lists. A single value that is declared otherwise has no union, and taking the new one could also take away. */
function conflictIn(declared: unknown, more: unknown, path: string): string | undefined {
  if (Array.isArray(declared) && Array.isArray(more)) return undefined;
  if (!isMapping(declared) || !isMapping(more))
    return isSame(declared, more)
      ? undefined
      : `${path}: it is declared otherwise, and an elevation only adds to lists; change the manifest instead`;
  const both = Object.keys(more).filter((key) => Object.hasOwn(declared, key));
  return both.map((key) => conflictIn(declared[key], more[key], `${path}.${key}`)).find((found) => found !== undefined);
}

function isMapping(value: unknown): value is Scope {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
