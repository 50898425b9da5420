import { relative, resolve } from 'node:path';
import { Argument, type Command } from 'commander';
import { CliError, usage } from '../errors.js';
import { verb, type CommonOptions, type Runtime } from '../session.js';

interface MakeOptions extends CommonOptions {
  readonly id: string;
  readonly out?: string;
}

export function addKey(program: Command, runtime: Runtime): void {
  const key = program.command('key').description('make keys');
  const command = key
    .command('make')
    .addArgument(new Argument('<kind>', 'what it is for').choices(['codec']))
    .description('make a key file that only you can read; codec: encrypts payloads')
    .requiredOption('--id <id>', 'its name in tenure.yaml and beside every payload, e.g. 2026-11')
    .option('--out <file>', 'where (default: <id>.codec-key)')
    .addHelpText(
      'after',
      '\nA file that is there is never written over. Keep a copy in a safe place: without it, what it encrypted is lost.\n\nExample:\n  tenure key make codec --id 2026-11 --out keys/2026-11.codec-key',
    );
  verb<MakeOptions>(runtime, command, async ({ io, out }, { id, out: place }) => {
    if (!/^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/.test(id))
      throw usage(
        `--id ${id}: lower-case letters, digits, dots, dashes and underscores only`,
        'tenure key make --help',
      );
    const file = resolve(io.cwd, place ?? `${id}.codec-key`);
    const { createCodecKey } = await import('../../temporal/codec/key.js');
    if (!(await createCodecKey(file, id)))
      throw new CliError('Conflict', `${file} is there already, and a key is never written over`, [
        `tenure key make codec --id ${id} --out OTHER-FILE`,
      ]);
    const shown = relative(io.cwd, file);
    out.answer({ id, file });
    out.say(`made ${shown}: whoever has it can read what it encrypts, and without it nobody can`);
    out.say(`in tenure.yaml:  encryption: { keys: [{ id: ${id}, key: { file: ${shown} } }] }`);
    out.say('with a key there already: add this one first, everywhere, and only then name it under current');
  });
}
