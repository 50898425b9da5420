/** What is wrong with identities beyond their single fields: against each other, and against what the operator has. */
import type { TenureConfig } from '../config/types.js';
import { whyNotAllowed } from '../consumers/limits.js';
import { findConsumerCycle } from '../consumers/order.js';
import type { Capabilities, Scope, ScopeProblem } from '../targets/target.js';
import type { DeclaredIdentity } from './declared.js';
import { parsePath, suggest } from './problem.js';
import type { Path, Problem } from './problem.js';
import { problemAt } from './shape.js';

/** What manifests are checked against. What is absent is not checked. */
export interface ManifestContext {
  readonly config?: Pick<TenureConfig, 'targets' | 'stores'> & Partial<Pick<TenureConfig, 'consumers'>>;
  /** What the target cannot express of a scope. Pure; asks no server. */
  readonly checkScope?: (target: string, identity: string, scope: Scope) => readonly ScopeProblem[];
  readonly capabilities?: (target: string) => Capabilities | undefined;
}

type Check = (identity: DeclaredIdentity, context: ManifestContext) => Problem[];

/** The checks of one identity, in the order in which their problems are listed. */
const checks: readonly Check[] = [unknownTarget, inexpressibleScope, unknownStores, wrongConsumers, forbiddenConsumers];

export function identityProblems(identity: DeclaredIdentity, context: ManifestContext): Problem[] {
  return checks.flatMap((check) => check(identity, context));
}

/** Names and store paths that are used twice. */
export function sharedProblems(identities: readonly DeclaredIdentity[]): Problem[] {
  const names = identities.map(({ document, path, fields }) => ({
    document,
    path: [...path, 'name'],
    value: fields.name,
  }));
  const deliveries = identities.flatMap(({ document, path, fields }) =>
    (fields.deliver ?? []).map(({ store, path: place }, index) => ({
      document,
      path: [...path, 'deliver', index],
      value: `${store}:${place}`,
    })),
  );
  return [
    ...repeated(names, (name) => [`the name ${name} is declared twice`, 'Rename or remove one of them.']),
    ...repeated(deliveries, (place) => [`${place} is delivered to twice`, 'Give each credential a path of its own.']),
  ];
}

interface Used {
  readonly document: DeclaredIdentity['document'];
  readonly path: Path;
  readonly value: string | undefined;
}

function repeated(uses: readonly Used[], words: (value: string) => [problem: string, fix: string]): Problem[] {
  const first = new Map<string, Used>();
  return uses.flatMap((use) => {
    if (use.value === undefined) return [];
    const before = first.get(use.value);
    if (!before) {
      first.set(use.value, use);
      return [];
    }
    const place = before.document.placeOf(before.path);
    const [problem, fix] = words(use.value);
    return [problemAt(use.document, use.path, `${problem}, first at ${place.file}:${place.line}:${place.column}`, fix)];
  });
}

function unknownTarget({ document, path, fields }: DeclaredIdentity, { config }: ManifestContext): Problem[] {
  const name = fields.target?.name;
  if (name === undefined || !config || Object.hasOwn(config.targets, name)) return [];
  const known = Object.keys(config.targets);
  return [
    problemAt(
      document,
      [...path, 'target', 'name'],
      `there is no target '${name}' in the operator's file`,
      suggest(name, known),
    ),
  ];
}

function inexpressibleScope(identity: DeclaredIdentity, { config, checkScope }: ManifestContext): Problem[] {
  const { document, path, fields } = identity;
  const { target, name } = fields;
  if (!checkScope || !target || name === undefined || (config && !Object.hasOwn(config.targets, target.name)))
    return [];
  return scopeProblems(() => checkScope(target.name, name, target.scope)).map((found) => {
    const at = [...path, 'target', 'scope', ...parsePath(found.path)];
    return problemAt(
      document,
      at,
      `the target ${target.name} cannot express this: ${found.problem}`,
      'See the page of the target in docs/targets for the form of a scope.',
    );
  });
}

/** A check that breaks on unexpected input has found a scope that it does not know: it is a problem of the manifest, too. */
function scopeProblems(check: () => readonly ScopeProblem[]): readonly ScopeProblem[] {
  try {
    return check();
  } catch {
    return [{ path: '', problem: 'it could not be checked' }];
  }
}

function unknownStores({ document, path, fields }: DeclaredIdentity, { config }: ManifestContext): Problem[] {
  if (!config) return [];
  const known = Object.keys(config.stores);
  return (fields.deliver ?? []).flatMap(({ store }, index) =>
    known.includes(store)
      ? []
      : [
          problemAt(
            document,
            [...path, 'deliver', index, 'store'],
            `there is no store '${store}' in the operator's file`,
            suggest(store, known),
          ),
        ],
  );
}

function wrongConsumers({ document, path, fields }: DeclaredIdentity): Problem[] {
  const consumers = fields.consumers ?? [];
  const names = consumers.map(({ name }) => name);
  const at = (index: number, ...rest: Path) => [...path, 'consumers', index, ...rest];
  const problems = consumers.flatMap(({ name, after = [] }, index) => [
    ...(names.indexOf(name) < index
      ? [
          problemAt(
            document,
            at(index, 'name'),
            `the consumer ${name} is listed twice`,
            'Rename or remove one of them.',
          ),
        ]
      : []),
    ...after.flatMap((other, place) =>
      names.includes(other)
        ? []
        : [
            problemAt(
              document,
              at(index, 'after', place),
              `there is no consumer '${other}' here`,
              suggest(
                other,
                names.filter((one) => one !== name),
              ),
            ),
          ],
    ),
  ]);
  const cycle = problems.length === 0 ? findConsumerCycle(consumers) : undefined;
  if (!cycle) return problems;
  const index = names.indexOf(cycle[0]!);
  return [
    problemAt(
      document,
      at(index, 'after'),
      `the consumers wait for each other: ${cycle.join(' after ')}`,
      'Remove one of these from `after`.',
    ),
  ];
}

/** The worker would refuse it in the middle of the hand-over. */
function forbiddenConsumers({ document, path, fields }: DeclaredIdentity, { config }: ManifestContext): Problem[] {
  const limits = config?.consumers;
  if (!limits) return [];
  return (fields.consumers ?? []).flatMap((consumer, index) => {
    const problem = whyNotAllowed(consumer, limits);
    if (problem === undefined) return [];
    const [what, fix] = problem.split(': an operator ');
    const at = [...path, 'consumers', index, 'notify'];
    return [problemAt(document, at, what!, fix === undefined ? 'Write the whole path.' : `An operator ${fix}.`)];
  });
}
