import { bytesOf } from '../domain/clip.js';
import { largestSpec } from '../domain/well-formed.js';
import type { IdentitySpec, RotationPolicy } from '../domain/identity.js';
import { identityProblems, sharedProblems } from './checks.js';
import type { ManifestContext } from './checks.js';
import { declaredIn } from './declared.js';
import type { DeclaredIdentity, DeclaredPolicy } from './declared.js';
import { manifestFiles } from './files.js';
import { suggest } from './problem.js';
import type { Path, Problem } from './problem.js';
import { readYamlFile } from './read.js';
import { manualPolicy, policyOf, writtenProblems } from './rotation.js';
import type { WrittenPolicy } from './schema.js';
import { withSecretProblems } from './secrets.js';
import { problemAt } from './shape.js';
import { readYaml } from './yaml.js';
import type { YamlDocument } from './yaml.js';

export type { ManifestContext } from './checks.js';

/** What manifests declare. With any problem at all, nothing of it should be applied. */
export interface Manifests {
  /** The identities that nothing is wrong with, in the order of their files. */
  readonly identities: readonly IdentitySpec[];
  /** Where each of them stands. */
  readonly sources: ReadonlyMap<string, { readonly file: string; readonly line: number }>;
  /** Everything that is wrong, by file and line. */
  readonly problems: readonly Problem[];
}

/** Reads every manifest of these files and folders. Throws nothing for what is written in them. */
export async function loadManifests(paths: readonly string[], context: ManifestContext): Promise<Manifests> {
  const { files, problems } = await manifestFiles(paths);
  const read = [];
  for (const file of files) read.push(await readYamlFile(file));
  return interpret(
    read.flatMap(({ documents }) => documents),
    [...problems, ...read.flatMap((one) => one.problems)],
    context,
  );
}

/** The same for text that is no file, e.g. from a pipe. */
export function readManifests(file: string, text: string, context: ManifestContext): Manifests {
  const { documents, problems } = readYaml(file, text);
  return interpret(documents, problems, context);
}

function interpret(
  documents: readonly YamlDocument[],
  syntax: readonly Problem[],
  context: ManifestContext,
): Manifests {
  const declared = documents.map(declaredIn);
  const identities = declared.flatMap((one) => one.identities);
  const policies = declared.flatMap((one) => one.policies);
  const resolver = new Policies(policies);
  const problems = [
    ...syntax,
    ...declared.flatMap((one) => one.problems),
    ...resolver.problems,
    ...sharedProblems(identities),
  ];
  if (syntax.length === 0 && !declared.some((one) => one.declaresIdentities)) problems.push(nothingDeclared(documents));
  const specs = identities.flatMap((identity) => {
    const { rotation, problems: found } = resolver.rotationOf(identity, context);
    found.push(...identityProblems(identity, context));
    problems.push(...found);
    if (!identity.isWhole || !rotation || found.length > 0) return [];
    const spec = specOf(identity, rotation);
    const tooLarge = sizeProblem(identity, spec);
    if (tooLarge) problems.push(tooLarge);
    return tooLarge ? [] : [{ identity, spec }];
  });
  return {
    identities: specs.map(({ spec }) => spec),
    sources: new Map(specs.map(({ identity, spec }) => [spec.name, identity.document.placeOf(identity.path)])),
    problems: inOrder(
      withSecretProblems(
        problems,
        declared.flatMap(({ secrets }) => secrets),
      ),
    ),
  };
}

/** An empty manifest would let everything vanish; somebody who means that writes `identities: []`. */
function nothingDeclared(documents: readonly YamlDocument[]): Problem {
  const file = documents[0]?.file ?? 'manifests';
  return {
    file,
    line: 1,
    column: 1,
    path: '',
    problem: 'no identity is declared',
    fix: 'Add an `identities` list, or name the folder that has one.',
  };
}

/** An identity carries its declaration through its whole life, and Temporal holds only so much of it. */
function sizeProblem({ document, path }: DeclaredIdentity, spec: IdentitySpec): Problem | undefined {
  const size = bytesOf(JSON.stringify(spec));
  if (size <= largestSpec) return undefined;
  return problemAt(
    document,
    path,
    `the identity is too large: ${size} bytes as JSON, expected at most ${largestSpec}`,
    'Shorten the scope, the consumers or their templates, or declare two identities.',
  );
}

function specOf({ fields }: DeclaredIdentity, rotation: RotationPolicy): IdentitySpec {
  const { name, kind, owner, purpose, environment, dataClass, target, deliver, consumers, tags } = fields as Required<
    typeof fields
  >;
  return {
    name,
    kind,
    owner,
    purpose,
    environment,
    dataClass,
    target,
    deliver,
    consumers,
    rotation,
    tags,
  } as IdentitySpec;
}

/** The named policies, and the way from an identity to its policy. */
class Policies {
  readonly problems: Problem[] = [];
  readonly #named = new Map<string, DeclaredPolicy>();

  constructor(policies: readonly DeclaredPolicy[]) {
    for (const policy of policies) {
      const before = this.#named.get(policy.name);
      if (before) this.problems.push(twice(policy, before));
      else this.#named.set(policy.name, policy);
      if (policy.written) this.problems.push(...inPolicy(policy.document, policy.path, policy.written));
    }
  }

  rotationOf(
    identity: DeclaredIdentity,
    context: ManifestContext,
  ): { rotation: RotationPolicy | undefined; problems: Problem[] } {
    const { document, fields } = identity;
    const path = [...identity.path, 'rotation'];
    const { rotation } = fields;
    if (rotation === undefined) return { rotation: undefined, problems: [] };
    const name = typeof rotation === 'string' ? rotation : undefined;
    const written =
      typeof rotation === 'object'
        ? rotation
        : rotation === 'manual'
          ? manualPolicy
          : this.#named.get(rotation)?.written;
    const problems = name === undefined && written ? inPolicy(document, path, written) : [];
    if (!written) {
      const isKnown = name !== undefined && this.#named.has(name);
      const problem = `there is no rotation policy '${name}'`;
      return {
        rotation: undefined,
        problems: isKnown
          ? []
          : [problemAt(document, path, problem, suggest(name!, ['manual', ...this.#named.keys()]))],
      };
    }
    const supported = fields.target && context.capabilities?.(fields.target.name)?.strategies;
    const policy = policyOf(written, name, supported?.[0] ?? 'alternate');
    if (supported && !supported.includes(policy.strategy)) {
      const at = name === undefined ? [...path, 'strategy'] : path;
      problems.push(
        problemAt(
          document,
          at,
          `the target ${fields.target!.name} cannot rotate by '${policy.strategy}'`,
          suggest(policy.strategy, supported),
        ),
      );
    }
    return { rotation: policy, problems };
  }
}

function inPolicy(document: YamlDocument, path: Path, written: WrittenPolicy): Problem[] {
  return writtenProblems(written).map(({ field, problem, fix }) => problemAt(document, [...path, field], problem, fix));
}

function twice(policy: DeclaredPolicy, before: DeclaredPolicy): Problem {
  const { file, line, column } = before.document.placeOf(before.path, 'key');
  return problemAt(
    policy.document,
    policy.path,
    `the policy ${policy.name} is declared twice, first at ${file}:${line}:${column}`,
    'Rename or remove one of them.',
    'key',
  );
}

function inOrder(problems: readonly Problem[]): Problem[] {
  const files = [...new Set(problems.map(({ file }) => file))];
  return [...problems].sort(
    (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
  );
}
