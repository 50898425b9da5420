import type { Command } from 'commander';
import { asking, change, type ChangeOptions } from '../change.js';
import { verb, type Runtime } from '../session.js';

interface ValidateOptions extends ChangeOptions {
  readonly repair?: boolean;
}

export function addValidate(program: Command, runtime: Runtime): void {
  const command = program
    .command('validate <name>')
    .description('log in with the credential, compare its rights with the approved ones, and report what drifted')
    .option('--repair', 'put right what drifted')
    .addHelpText(
      'after',
      '\nExits with 1 when something drifted.\n\nExamples:\n  tenure validate payments-db\n  tenure validate payments-db --repair',
    );
  verb<ValidateOptions>(runtime, asking(command), (session, options, [name]) =>
    change(session, name!, options, 'validate', options.repair ? { repair: true } : {}),
  );
}
