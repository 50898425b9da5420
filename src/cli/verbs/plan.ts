import type { Command } from 'commander';
import { exitCodes } from '../io.js';
import { isChange, makePlan, planDocument, tellPlan } from '../manifests.js';
import { verb, type CommonOptions, type Runtime } from '../session.js';

interface PlanOptions extends CommonOptions {
  readonly prune?: boolean;
  readonly reinstate?: boolean;
  readonly exitCode?: boolean;
}

export function addPlan(program: Command, runtime: Runtime): void {
  const command = program
    .command('plan [paths...]')
    .description('show what applying the manifests would change; touches nothing')
    .option('--prune', 'as if what is in no manifest were to be offboarded')
    .option('--reinstate', 'as if what was revoked were to be provisioned again')
    .option('--exit-code', 'exit with 1 when something would change')
    .addHelpText(
      'after',
      '\nPaths are manifests or folders of them (default: manifests/ beside tenure.yaml). Needs no worker.\n\nExamples:\n  tenure plan\n  tenure plan manifests/payments.yaml --json\n  tenure plan --exit-code   # in CI: has anything drifted from Git?',
    );
  verb<PlanOptions>(runtime, command, async (session, options, paths) => {
    const prune = options.prune === true;
    const plan = await makePlan(session, paths, options);
    session.out.answer(planDocument(plan));
    tellPlan(session.out, plan, prune);
    return options.exitCode && isChange(plan, prune) ? exitCodes.failure : exitCodes.success;
  });
}
