/** Takes a document apart into the policies and identities that it declares. */
import { z } from 'zod';
import type { Path, Problem } from './problem.js';
import { documentFields, identityFields, policyFields, slug } from './schema.js';
import type { WrittenPolicy } from './schema.js';
import { secretProblems } from './secrets.js';
import { checkFields, issueProblems, problemAt } from './shape.js';
import type { Checked } from './shape.js';
import type { YamlDocument } from './yaml.js';

/** An identity as written: the fields that hold what they should. */
export interface DeclaredIdentity {
  readonly document: YamlDocument;
  readonly path: Path;
  readonly fields: Checked<typeof identityFields>;
  /** Whether nothing was wrong with any of its fields. */
  readonly isWhole: boolean;
}

/** A named policy as written; without `written` when something is wrong with it. */
export interface DeclaredPolicy {
  readonly document: YamlDocument;
  readonly path: Path;
  readonly name: string;
  readonly written?: WrittenPolicy;
}

export interface Declared {
  readonly identities: readonly DeclaredIdentity[];
  readonly policies: readonly DeclaredPolicy[];
  readonly problems: readonly Problem[];
  /** What looks like a secret; what else is found at these places is not to be shown. */
  readonly secrets: readonly Problem[];
  /** Whether it has an `identities` list at all, if only an empty one. */
  readonly declaresIdentities: boolean;
}

const policySchema = z.strictObject(policyFields);

/** Reads one document. A wrong field hides nothing about the others. */
export function declaredIn(document: YamlDocument): Declared {
  const { fields, problems } = checkFields(document, [], document.value, documentFields);
  const found = [...problems];
  const identities = (fields.identities ?? []).map((value, index) => {
    const path = ['identities', index];
    const checked = checkFields(document, path, value, identityFields);
    found.push(...checked.problems);
    return { document, path, fields: checked.fields, isWhole: checked.problems.length === 0 };
  });
  const policies = Object.entries(fields.policies ?? {}).map(([name, value]) => {
    const policy = readPolicy(document, name, value);
    found.push(...policy.problems);
    return policy.declared;
  });
  const secrets = secretProblems(document, 'Remove it: Tenure makes credentials itself and keeps them in a store.');
  return { identities, policies, problems: found, secrets, declaresIdentities: fields.identities !== undefined };
}

function readPolicy(
  document: YamlDocument,
  name: string,
  value: unknown,
): { declared: DeclaredPolicy; problems: Problem[] } {
  const path = ['policies', name];
  const result = policySchema.safeParse(value);
  const problems = result.success
    ? []
    : result.error.issues.flatMap((issue) => issueProblems(document, path, issue, value, policySchema));
  const named = slug().safeParse(name);
  if (!named.success)
    problems.push(...named.error.issues.flatMap((issue) => issueProblems(document, path, issue, name)));
  if (name === 'manual')
    problems.push(
      problemAt(
        document,
        path,
        "'manual' is the name of the policy that is rotated only when asked",
        'Rename yours.',
        'key',
      ),
    );
  return { declared: { document, path, name, ...(result.success && { written: result.data }) }, problems };
}
