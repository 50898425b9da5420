import { resolve } from 'node:path';
import type { Command } from 'commander';
import { formatProblem } from '../../manifest/problem.js';
import { checkPack } from '../../policy/check.js';
import { broken, parsePack, readPackTexts, shippedPolicies } from '../../policy/pack.js';
import { readTables, runTables, type TableResult } from '../../policy/table.js';
import { CliError } from '../errors.js';
import { exitCodes } from '../io.js';
import { addPolicyExplain } from '../policy-explain.js';
import { verb, type CommonOptions, type Runtime, type Session } from '../session.js';
import { count } from '../words.js';

export function addPolicy(program: Command, runtime: Runtime): void {
  const policy = program
    .command('policy')
    .description('check and test the policies, and ask what a change would take')
    .addHelpText(
      'after',
      '\nPolicies are .cedar files in the folder that policy.path in tenure.yaml names; without it, those that come with Tenure.\n\nExamples:\n  tenure policy check policies/\n  tenure policy test policies/\n  tenure policy explain payments-db --action offboard',
    );
  addCheck(policy, runtime);
  addTest(policy, runtime);
  addPolicyExplain(policy, runtime);
}

function addCheck(policy: Command, runtime: Runtime): void {
  const command = policy
    .command('check [folder]')
    .description(
      'check policies against the schema, their annotations, and whether each gate opens when it gets what it asks for',
    )
    .addHelpText('after', '\nTouches nothing and needs no server. Exits with 1 when there is a problem.');
  verb<CommonOptions>(runtime, command, async (session, _options, [given]) => {
    const { out } = session;
    const folder = await folderOf(session, given);
    const { pack, problems, remarks } = await checkPack(folder);
    const { rules, files } = pack;
    out.answer({ ok: problems.length === 0, folder, policies: rules.map(({ id }) => id), problems, remarks });
    for (const problem of problems) out.note(formatProblem(problem));
    for (const remark of remarks) out.note(`${out.paint.yellow('note:')} ${remark}`);
    const extent = `${count(rules.length, 'policy', 'policies')} in ${count(files.length, 'file')} of ${folder}`;
    out.say(problems.length === 0 ? `${extent}: all is well` : `${extent}: ${count(problems.length, 'problem')}`);
    return problems.length === 0 ? exitCodes.success : exitCodes.failure;
  });
}

function addTest(policy: Command, runtime: Runtime): void {
  const command = policy
    .command('test [folder]')
    .description('ask the questions in tests/*.yaml beside the policies, and compare what is decided')
    .addHelpText('after', '\nTouches nothing and needs no server. Exits with 1 when a row is decided differently.');
  verb<CommonOptions>(runtime, command, async (session, _options, [given]) => {
    const { out } = session;
    const folder = await folderOf(session, given);
    const results = await resultsIn(folder);
    const failed = results.filter(({ passed }) => !passed);
    out.answer({ ok: failed.length === 0, folder, tests: results.length, failed });
    for (const { file, line, name, expected, found } of failed) {
      out.say(`${out.paint.red('failed')} ${file}:${line} ${name}`);
      out.say(`  expected ${expected}`);
      out.say(`  found    ${found}`);
    }
    out.say(`${count(results.length, 'test')}, ${failed.length === 0 ? 'all as expected' : `${failed.length} failed`}`);
    return failed.length === 0 ? exitCodes.success : exitCodes.failure;
  });
}

/** A folder without tests fails: what tests nothing proves nothing. */
async function resultsIn(folder: string): Promise<TableResult[]> {
  const pack = parsePack(await readPackTexts(folder));
  if (pack.problems.length > 0) throw broken(pack.problems);
  const { cases, problems } = await readTables(folder);
  if (problems.length > 0)
    throw new CliError('InvalidRequest', ['the tests have problems:', ...problems.map(formatProblem)].join('\n  '), [
      'tenure policy test --help',
    ]);
  if (cases.length === 0)
    throw new CliError('InvalidRequest', `there are no tests in ${folder}: write rows in tests/*.yaml`, [
      'tenure policy check',
    ]);
  return runTables(pack, cases);
}

/** What was named, else what `tenure.yaml` names, else what comes with Tenure. */
async function folderOf({ io, services }: Session, given: string | undefined): Promise<string> {
  if (given !== undefined) return resolve(io.cwd, given);
  const config = await services.config().catch(() => undefined);
  return config?.policy.path ?? shippedPolicies;
}
