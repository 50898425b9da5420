import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Option, type Command } from 'commander';
import { slots, type Slot } from '../../domain/credential.js';
import type { Material } from '../../stores/store.js';
import { runChild } from '../child.js';
import { usage } from '../errors.js';
import { dotenv, fieldOf, readMaterial, variableOf } from '../material.js';
import { verb, type CommonOptions, type Runtime, type Session } from '../session.js';

interface ExecOptions extends CommonOptions {
  readonly prefix: string;
  readonly env: readonly string[];
  readonly file?: 'json' | 'dotenv';
  readonly fileVariable: string;
  readonly slot: Slot;
  readonly from?: string;
}

export function addExec(program: Command, runtime: Runtime): void {
  const command = program
    .command('exec <name> <command...>')
    .description('run a command with a credential in its environment or in a private file, never in its arguments')
    .option('--prefix <prefix>', 'prefix of the variables', 'TENURE_')
    .option(
      '--env <VARIABLE=field>',
      'set just these variables; may be repeated',
      (pair: string, before: readonly string[]) => [...before, pair],
      [],
    )
    .addOption(
      new Option(
        '--file <format>',
        'put the credential into a file of mode 0600 instead; it is removed afterwards',
      ).choices(['json', 'dotenv']),
    )
    .option('--file-variable <name>', 'variable that tells the command where the file is', 'TENURE_FILE')
    .addOption(new Option('--slot <slot>', 'which credential').choices([...slots]).default('current'))
    .option('--from <store:path>', 'read there, without asking Temporal')
    .passThroughOptions()
    .addHelpText(
      'after',
      "\nSignals are passed on, and the exit code is that of the command. What opens Temporal or Tenure's own stores and targets is taken out of its environment.\n" +
        '\nExamples:\n  tenure exec payments-db -- ./server\n  tenure exec --env PGUSER=username --env PGPASSWORD=password payments-db -- psql -h 127.0.0.1 ledger\n  tenure exec --file json payments-db -- sh -c \'app --credentials "$TENURE_FILE"\'',
    );
  verb<ExecOptions>(runtime, command, async (session, options, [name, ...line]) => {
    const [program, ...args] = line[0] === '--' ? line.slice(1) : line;
    if (program === undefined) throw usage('say which command to run', `tenure exec ${name} -- COMMAND`);
    const material = await readMaterial(session, name!, options);
    const env = await ownEnvironment(session);
    if (options.file === undefined)
      return runChild(program, args, { ...env, ...variables(material, options) }, session.io.cwd);
    return withFile(material, options.file, options.prefix, (file) =>
      runChild(program, args, { ...env, [options.fileVariable]: file }, session.io.cwd),
    );
  });
}

function variables(material: Material, options: ExecOptions): Record<string, string> {
  if (options.env.length === 0) {
    return Object.fromEntries(
      Object.entries(material).map(([field, value]) => [variableOf(options.prefix, field), value]),
    );
  }
  return Object.fromEntries(
    options.env.map((pair) => {
      const match = /^([A-Za-z_][A-Za-z0-9_]*)=(.+)$/.exec(pair);
      if (!match) throw usage(`--env ${pair}: expected VARIABLE=field, e.g. PGUSER=username`);
      return [match[1]!, fieldOf(material, match[2]!)];
    }),
  );
}

/** The environment without what opens Tenure's own doors: a consumer needs its own credential only. */
async function ownEnvironment(session: Session): Promise<NodeJS.ProcessEnv> {
  const named = new Set(variablesIn(await session.services.config()));
  return Object.fromEntries(
    Object.entries(session.io.env).filter(
      ([name]) => !named.has(name) && !opensTenure.some((shape) => shape.test(name)),
    ),
  );
}

/** What logs in to Temporal, and secrets of Tenure that the operator's file reads by another way than `{ env: … }`. */
const opensTenure: readonly RegExp[] = [
  /^TEMPORAL_(API_KEY|TLS($|_)|CODEC_AUTH|GRPC_META_)/i,
  /^TENURE_.*(KEY|TOKEN|PASSW|PASSPHRASE|SECRET|CREDENTIAL)/i,
];

/** Every `{ env: NAME }` in the operator's file. */
export function variablesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = 'env' in value && typeof value.env === 'string' ? [value.env] : [];
  return [...own, ...Object.values(value).flatMap(variablesIn)];
}

async function withFile(
  material: Material,
  format: 'json' | 'dotenv',
  prefix: string,
  use: (file: string) => Promise<number>,
): Promise<number> {
  // A folder of mode 0700, so that nobody can put a link where the file will be.
  const folder = await mkdtemp(join(tmpdir(), 'tenure-'));
  try {
    const file = join(folder, `${randomBytes(8).toString('hex')}.${format === 'json' ? 'json' : 'env'}`);
    await writeFile(file, format === 'json' ? `${JSON.stringify(material)}\n` : dotenv(material, prefix), {
      mode: 0o600,
      flag: 'wx',
    });
    return await use(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
