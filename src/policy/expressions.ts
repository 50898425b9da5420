/** What the conditions of a policy speak of. */
import { isDeepStrictEqual } from 'node:util';
import type { Rule } from './pack.js';

/** A part of a condition, as Cedar writes it in JSON. */
interface Expression {
  readonly left?: unknown;
  readonly right?: unknown;
}

type Conditions = Pick<Rule, 'conditions'>;

/** Every part of what follows `when` and `unless`. */
export function* expressionsIn({ conditions }: Conditions): Generator<Expression> {
  const open: unknown[] = [conditions];
  while (open.length > 0) {
    const next = open.pop();
    // The characters of a text are none of its parts.
    if (typeof next === 'string') continue;
    yield Object(next) as Expression;
    open.push(...Object.values(Object(next)));
  }
}

/** `context.<attribute>`. */
export function isContext(value: unknown, attribute: string): boolean {
  return isDeepStrictEqual(value, { '.': { left: { Var: 'context' }, attr: attribute } });
}

/** The exceptions that a policy listens to, by the names that they are given for. */
export function exceptionsHeard(rule: Conditions): string[] {
  return [...expressionsIn(rule)].flatMap(({ left, right }) => {
    if (isContext(left, 'exceptions')) return stringsIn(right);
    return isContext(right, 'exceptions') ? stringsIn(left) : [];
  });
}

function stringsIn(value: unknown): string[] {
  return typeof value === 'string' ? [value] : Object.values(Object(value)).flatMap(stringsIn);
}
