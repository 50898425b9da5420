import type { Command } from 'commander';
import { asking, change, type ChangeOptions } from '../change.js';
import { verb, type Runtime } from '../session.js';

export function addRotate(program: Command, runtime: Runtime): void {
  const command = program
    .command('rotate <name>')
    .description('give an identity a new credential and prove that the old one is refused')
    .addHelpText(
      'after',
      '\nExamples:\n  tenure rotate payments-db\n  tenure rotate payments-db --reason "laptop lost" --no-wait',
    );
  verb<ChangeOptions>(runtime, asking(command), (session, options, [name]) =>
    change(session, name!, options, 'rotate'),
  );
}
