/** Looks for what is wrong with a folder of policies before a worker has to deny everything because of it. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Place, Problem } from '../manifest/problem.js';
import type { Vote } from '../domain/process.js';
import type { Requirement } from './annotations.js';
import { exceptionsHeard, expressionsIn, isContext } from './expressions.js';
import { parsePack, readPackTexts, type Pack, type Rule } from './pack.js';
import { isGate, type Gate } from './obligations.js';
import { policyOf, type Policy } from './policy.js';
import { planDigestOf, type PolicyQuestion } from './question.js';
import { imaginable } from './imaginable.js';
import { readTables } from './table.js';

/** What a look at a folder found. */
export interface PackCheck {
  readonly pack: Pack;
  readonly problems: readonly Problem[];
  /** Worth a look, and no reason to stop: one sentence each. */
  readonly remarks: readonly string[];
}

/** Checks schema, annotations and gates. Throws `StoreUnavailable` where the folder cannot be read. */
export async function checkPack(folder: string): Promise<PackCheck> {
  const pack = parsePack(await readPackTexts(folder));
  const found = [...pack.problems, ...pack.rules.flatMap(ruleProblems), ...(await copyProblems(pack))];
  if (pack.problems.length > 0) return { pack, problems: found, remarks: [] };
  const { cases, problems } = await readTables(folder);
  const gates = promises(pack, [...imaginable(), ...cases.map(({ question }) => question)]);
  return { pack, problems: [...found, ...problems, ...gates.problems], remarks: gates.remarks };
}

/** What a policy says that it should not, or does not say that it should. */
function ruleProblems(rule: Rule): Problem[] {
  return [...exceptionProblems(rule), ...approvalProblems(rule)];
}

/** An exception lifts the policy that it names: one that another policy listened to would lift more than people approved. */
function exceptionProblems(rule: Rule): Problem[] {
  const { id, place } = rule;
  return exceptionsHeard(rule)
    .filter((name) => name !== id)
    .map((name) =>
      problem(place, `${id} can be lifted by an exception from ${name}`, `Write context.exceptions.contains("${id}").`),
    );
}

/** It would deny for good: nobody is asked for what they could give. */
function approvalProblems(rule: Rule): Problem[] {
  const { id, effect, require, place } = rule;
  const waits = [...expressionsIn(rule)].some((one) => isContext(one, 'approvals') || isContext(one, 'advance'));
  if (effect === 'permit' || require || !waits) return [];
  return [problem(place, `${id} waits for approvals and asks nobody`, 'Say whom to ask: @require("approvals: 1").')];
}

/** The schema belongs to the version of Tenure that runs. */
async function copyProblems({ folder, schema }: Pack): Promise<Problem[]> {
  const copies = (await readdir(folder)).filter((name) => name.endsWith('.cedarschema'));
  const found = await Promise.all(
    copies.map(async (name) => {
      const file = join(folder, name);
      const isSame = (await readFile(file, 'utf8')) === schema;
      const place = { file, line: 1, column: 1 };
      return isSame ? [] : [problem(place, 'it is not the schema of this version', 'Copy the one that comes with it.')];
    }),
  );
  return found.flat();
}

/** Sees every gate shut, gives it what its `@require` promises, and sees whether it opens. */
function promises(pack: Pack, questions: readonly PolicyQuestion[]): Pick<PackCheck, 'problems' | 'remarks'> {
  const policy = policyOf(pack, { productionEnvironments: ['production'] });
  const gates = pack.rules.filter(isGate);
  const shut = new Map(gates.map((gate) => [gate.id, [] as PolicyQuestion[]]));
  for (const question of questions)
    for (const id of firing(policy, { ...question, votes: [], advance: [] })) shut.get(id)?.push(question);
  return {
    problems: gates.flatMap((gate) => brokenPromises(policy, gate, someOf(shut.get(gate.id)!))),
    remarks: gates
      .filter(({ id }) => shut.get(id)!.length === 0)
      .map(({ id }) => `${id} was never seen shut: write a row in tests/ in which it needs people`),
  };
}

/** As many as can be asked while somebody waits, from all over. */
function someOf(questions: readonly PolicyQuestion[]): readonly PolicyQuestion[] {
  const step = Math.ceil(questions.length / mostQuestions);
  return questions.filter((_, index) => index % step === 0);
}

const mostQuestions = 24;

function firing(policy: Policy, question: PolicyQuestion): readonly string[] {
  const { effect, obligations } = policy.decide(question);
  return effect === 'deny' ? [] : (obligations.gates ?? []).map(({ id }) => id);
}

function brokenPromises(policy: Policy, { id, place, require }: Gate, questions: readonly PolicyQuestion[]): Problem[] {
  const stillShut = (groups: readonly string[]) =>
    questions.some((question) => {
      const votes = promised(require, groups, question);
      return policy.decide({ ...question, votes, advance: [] }).reasons.includes(id);
    });
  return ways(require)
    .filter(stillShut)
    .map((groups) => {
      const from = groups.length === 0 ? '' : ` with somebody of ${groups.join(' and ')}`;
      const given = `${require.approvals} ${require.approvals === 1 ? 'approval' : 'approvals'}${from}`;
      return problem(
        place,
        `${id} stays shut with what its @require asks for: ${given}${require.stepUp ? ', by security key' : ''}`,
        'Make its unless and its @require say the same.',
      );
    });
}

/** Every choice of one group out of each `a|b`, and the second group in place of them all. */
function ways({ groups, escalateTo }: Requirement): (readonly string[])[] {
  const chosen = groups.reduce<(readonly string[])[]>(
    (all, one) => all.flatMap((some) => one.split('|').map((group) => [...some, group])),
    [[]],
  );
  return escalateTo === undefined ? chosen : [...chosen, escalateTo.split('|')];
}

/** As many people as are asked for, and no more; the first of them is of all the groups. */
function promised(
  { approvals, stepUp }: Requirement,
  groups: readonly string[],
  { plan, now }: PolicyQuestion,
): Vote[] {
  return Array.from({ length: approvals }, (_, index) => ({
    approver: `approver-${index}`,
    decision: 'approve' as const,
    planDigest: planDigestOf(plan),
    at: now.toISOString(),
    groups: index === 0 ? groups : [],
    stepUp,
    key: '',
    ballot: { signed: { statement: '', signature: '' } },
  }));
}

function problem(place: Place, what: string, fix: string): Problem {
  return { ...place, path: '', problem: what, fix };
}
