/** What the annotations of a policy say. Cedar gives them no meaning; here they say whom a gate asks, and what people are told. */
import { parse } from 'yaml';
import { z } from 'zod';
import { duration } from '../manifest/schema.js';

/** Whom a gate asks for, from `@require("approvals: 2, groups: [security], stepUp: true")`. */
export interface Requirement {
  readonly approvals: number;
  /** Each by one person at least; `a|b` is one of either. */
  readonly groups: readonly string[];
  readonly stepUp: boolean;
  /** May decide too once half of the time is over. */
  readonly escalateTo?: string;
}

/** Who has to look at it afterwards, from `@review("people: 2, within: 1d")`. */
export interface Review {
  readonly people: number;
  readonly withinMs: number;
}

/** All that the annotations of one policy say. */
export interface Notes {
  readonly id?: string;
  readonly message: string;
  readonly fix: string;
  readonly controls: readonly string[];
  readonly require?: Requirement;
  readonly review?: Review;
}

/** What is wrong with an annotation, and what to write instead. */
export interface NoteProblem {
  readonly problem: string;
  readonly fix: string;
}

const group = z.string().regex(/^[a-z0-9][a-z0-9-]*(\|[a-z0-9][a-z0-9-]*)*$/);
const requirement = z.strictObject({
  approvals: z.int().min(1).max(10).default(1),
  groups: z.array(group).max(20).default([]),
  stepUp: z.boolean().default(false),
  escalateTo: group.optional(),
});
const review = z.strictObject({ people: z.int().min(1).max(10), within: duration(60_000, 30 * 86_400_000) });

const known = ['id', 'control', 'message', 'fix', 'require', 'review'];

/** Reads the annotations of one policy. */
export function readNotes(
  annotations: Readonly<Record<string, string | null>>,
  effect: 'permit' | 'forbid',
): { readonly notes: Notes; readonly problems: readonly NoteProblem[] } {
  const problems = [...Object.keys(annotations).flatMap(unknownProblem), ...placeProblems(annotations, effect)];
  const required = read(requirement, annotations, 'require', 'approvals: 2, groups: [security]', problems);
  const reviewed = read(review, annotations, 'review', 'people: 2, within: 1d', problems);
  const { id, message, fix, control } = annotations;
  const notes: Notes = {
    ...(typeof id === 'string' && { id }),
    message: message ?? '',
    fix: fix ?? '',
    controls: (control ?? '').split(',').flatMap((one) => one.trim() || []),
    ...(required && { require: requirementOf(required) }),
    ...(reviewed && { review: { people: reviewed.people, withinMs: reviewed.within } }),
  };
  return { notes, problems };
}

function requirementOf({ escalateTo, ...others }: z.output<typeof requirement>): Requirement {
  return { ...others, ...(escalateTo !== undefined && { escalateTo }) };
}

function unknownProblem(name: string): NoteProblem[] {
  if (known.includes(name)) return [];
  return [{ problem: `@${name} means nothing here`, fix: `Known: ${known.map((one) => `@${one}`).join(', ')}.` }];
}

/** A permit that asks for people would be no gate: another permit lets the same request pass. */
function placeProblems(annotations: Readonly<Record<string, unknown>>, effect: 'permit' | 'forbid'): NoteProblem[] {
  const has = (name: string) => Object.hasOwn(annotations, name);
  return [
    ...idProblems(annotations['id']),
    ...(effect === 'permit' && has('require')
      ? [{ problem: '@require stands on a permit', fix: 'Write a gate: forbid … when { … } unless { approvals }.' }]
      : []),
    ...(effect === 'forbid' && has('review')
      ? [{ problem: '@review stands on a forbid', fix: 'Put it on the permit whose use is to be looked at.' }]
      : []),
    ...(effect === 'forbid' && !annotations['message']
      ? [{ problem: 'it has no @message', fix: 'Say in one sentence what it keeps from happening.' }]
      : []),
  ];
}

/** The reasons that are no policies. */
const ownReasons: readonly string[] = ['policy-error', 'nothing-permits'];

function idProblems(id: unknown): NoteProblem[] {
  const fix = 'Name it with small letters, digits and hyphens: @id("what-it-is-for").';
  if (typeof id !== 'string') return [{ problem: 'it has no @id', fix }];
  if (!/^[a-z0-9][a-z0-9-]{0,99}$/.test(id)) return [{ problem: 'its @id is no plain name', fix }];
  return ownReasons.includes(id) ? [{ problem: `the @id ${id} is taken`, fix }] : [];
}

/** Written as the inside of a YAML mapping, so that no quotes have to be escaped. */
function read<T>(
  schema: z.ZodType<T>,
  annotations: Readonly<Record<string, string | null>>,
  name: string,
  example: string,
  problems: NoteProblem[],
): T | undefined {
  if (!Object.hasOwn(annotations, name)) return undefined;
  const parsed = schema.safeParse(mappingIn(annotations[name] ?? ''));
  if (parsed.success) return parsed.data;
  problems.push({ problem: `@${name} is not understood`, fix: `Write it as @${name}("${example}").` });
  return undefined;
}

function mappingIn(text: string): unknown {
  try {
    return parse(text.trimStart().startsWith('{') ? text : `{${text}}`);
  } catch {
    return undefined;
  }
}
