/** Finds what looks like secret material in a manifest or in the operator's file. Neither is a place for it. */
import { looksSecret } from './problem.js';
import type { Path, Problem } from './problem.js';
import { problemAt } from './shape.js';
import type { YamlDocument } from './yaml.js';

const secretNames =
  /^(pass(word|wd|phrase)?|pwd|secret|secret[-_]?key|api[-_]?key|(access|auth|bearer)?[-_]?token|private[-_]?key|credentials?|connection[-_]?string|dsn)$/i;

/** Adds them to what else was found, without what else was found at the same places: that may repeat the value. */
export function withSecretProblems(problems: readonly Problem[], secrets: readonly Problem[]): Problem[] {
  const isAtSecret = (problem: Problem) =>
    secrets.some(
      ({ file, path }) => problem.file === file && (problem.path === path || problem.path.startsWith(`${path}.`)),
    );
  return [...secrets, ...problems.filter((problem) => !isAtSecret(problem))];
}

/** One problem for each place that seems to hold a secret. The value is never repeated. */
export function secretProblems(document: YamlDocument, fix: string): Problem[] {
  const problems: Problem[] = [];
  walk(document.value, [], (path, value) => {
    const name = path.findLast((step) => typeof step === 'string') ?? '';
    const isNamedSecret = typeof path.at(-1) === 'string' && secretNames.test(name) && value !== '';
    if (!isNamedSecret && !looksSecret(value)) return;
    problems.push(problemAt(document, path, 'this looks like a secret, and this file is no place for one', fix));
  });
  return problems;
}

function walk(value: unknown, path: Path, visit: (path: Path, text: string) => void): void {
  if (typeof value === 'string') visit(path, value);
  else if (typeof value === 'number') visit(path, String(value));
  else if (Array.isArray(value)) value.forEach((inner, index) => walk(inner, [...path, index], visit));
  else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) walk(inner, [...path, key], visit);
  }
}
