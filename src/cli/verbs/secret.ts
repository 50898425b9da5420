import { Option, type Command } from 'commander';
import { slots, type Slot } from '../../domain/credential.js';
import { CliError, usage } from '../errors.js';
import { dotenv, fieldOf, readMaterial } from '../material.js';
import { verb, type CommonOptions, type Runtime } from '../session.js';

interface ReadOptions extends CommonOptions {
  readonly field?: string;
  readonly slot: Slot;
  readonly from?: string;
  readonly output?: 'json' | 'dotenv' | 'value';
  readonly prefix: string;
  readonly show?: boolean;
}

export function addSecret(program: Command, runtime: Runtime): void {
  const secret = program.command('secret').description('read credentials from the stores');
  const command = secret
    .command('read <name>')
    .description('write a credential to standard output')
    .option('--field <field>', 'only this field, as it is, without a line end')
    .addOption(new Option('--slot <slot>', 'which credential').choices([...slots]).default('current'))
    .option('--from <store:path>', 'read there, without asking Temporal')
    .addOption(
      new Option('--output <format>', 'form of the output (default: json, or value with --field)').choices([
        'json',
        'dotenv',
        'value',
      ]),
    )
    .option('--prefix <prefix>', 'prefix of the variables with --output dotenv', 'TENURE_')
    .option('--show', 'also when the output is a terminal')
    .addHelpText(
      'after',
      '\nPrefer `tenure exec`, which leaves no copy. A terminal is refused without --show, since its scroll-back keeps what it shows.\n' +
        '\nExamples:\n  tenure secret read payments-db --field password | psql-password-helper\n  tenure secret read payments-db --output dotenv > /run/payments.env\n  tenure secret read payments-db --from local:payments/db',
    );
  verb<ReadOptions>(runtime, command, async (session, options, [name]) => {
    const { stdout } = session.io;
    if (stdout.isTTY && !options.show) {
      throw new CliError('Usage', 'the output is a terminal, whose scroll-back would keep the secret', [
        `tenure secret read ${name} --show`,
        `tenure exec ${name} -- COMMAND`,
      ]);
    }
    if (options.output === 'value' && options.field === undefined)
      throw usage('--output value needs --field', 'tenure secret read --help');
    const material = await readMaterial(session, name!, options);
    const output = options.output ?? (options.field === undefined ? 'json' : options.json ? 'json' : 'value');
    const chosen = options.field === undefined ? material : { [options.field]: fieldOf(material, options.field) };
    if (output === 'value') stdout.write(chosen[options.field!]!);
    else if (output === 'dotenv') stdout.write(dotenv(chosen, options.prefix));
    else stdout.write(`${JSON.stringify(chosen, undefined, 2)}\n`);
  });
}
