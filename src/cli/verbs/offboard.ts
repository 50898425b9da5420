import type { Command } from 'commander';
import { asking, change, type ChangeOptions } from '../change.js';
import { confirm } from '../confirm.js';
import { nameOf } from '../identities.js';
import { exitCodes } from '../io.js';
import { verb, type Runtime } from '../session.js';

interface OffboardOptions extends ChangeOptions {
  readonly yes?: boolean;
}

export function addOffboard(program: Command, runtime: Runtime): void {
  const command = program
    .command('offboard <name>')
    .description('remove an identity from target and stores, and prove that nothing answers to it')
    .option('--yes', 'do not ask')
    .addHelpText('after', '\nExamples:\n  tenure offboard payments-db --reason "replaced by payments-v2"');
  verb<OffboardOptions>(runtime, asking(command), async (session, options, [typed]) => {
    const name = nameOf(typed!);
    const sure = await confirm(
      session,
      `Remove ${name} from its target and stores? Its credentials end for good.`,
      options.yes,
    );
    if (!sure) {
      session.out.note('nothing was asked for');
      return exitCodes.failure;
    }
    return change(session, name, options, 'offboard');
  });
}
