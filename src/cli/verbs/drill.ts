/** Attacks on the running system, on an identity that is there for nothing else. */
import { isAbsolute, join } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import type { TenureConfig } from '../../config/types.js';
import type { IdentitySpec, IdentityState } from '../../domain/identity.js';
import { identityId } from '../../domain/wire.js';
import { drills } from '../../drills/all.js';
import { hold, type DrillResult } from '../../drills/drill.js';
import { strangerNamed } from '../../drills/forger.js';
import { directorySource } from '../../trust/directory-file.js';
import { standIn } from '../../trust/development-keys.js';
import { openSigner } from '../../trust/sign.js';
import type { Signer } from '../../trust/statements.js';
import { CliError, noWorker } from '../errors.js';
import { stateOf } from '../identities.js';
import { exitCodes } from '../io.js';
import { verb, type CommonOptions, type Runtime, type Session } from '../session.js';
import { signerOf, signing, type SigningOptions } from '../signing.js';

interface DrillOptions extends CommonOptions, SigningOptions {
  readonly identity: string;
  readonly second?: string;
  readonly secondKey?: string;
  readonly machine?: string;
  readonly machineKey?: string;
  readonly only?: readonly string[];
}

/** What an identity has to carry: nobody drills on a credential that somebody uses. */
const tag = 'drill';

export function addDrill(program: Command, runtime: Runtime): void {
  const command = signing(program.command('drill').description('attack the running system, on an identity for drills'))
    .option('--identity <name>', `the identity to drill on; its manifest has the tag ${tag}: "true"`, 'drill-db')
    .option('--second <person>', `another person who may decide (default: ${standIn}, where tenure dev made one)`)
    .option('--second-key <file>', 'the key of that person')
    .option('--machine <name>', 'a service or an automation that tries to approve (default: the automation)')
    .option('--machine-key <file>', 'the key of that machine')
    .option('--only <drill...>', 'only these, by their ids', drillId)
    .addHelpText(
      'after',
      `\nDrills: ${drills.map(({ id }) => id).join(', ')}\nThose that change the operator's files are held by npm run drill, on a system of its own.\n\n` +
        'Examples:\n  tenure apply && tenure drill   # with manifests/drill-db.yaml, as in examples/\n' +
        '  tenure drill --as ci-ada@example.com --key ada.key --second ci-grace@example.com --second-key grace.key --json',
    );
  verb<DrillOptions>(runtime, command, drill);
}

function drillId(id: string, before: readonly string[] = []): readonly string[] {
  if (drills.some((one) => one.id === id)) return [...before, id];
  throw new InvalidArgumentError(`there is no such drill; there are ${drills.map((one) => one.id).join(', ')}`);
}

async function drill(session: Session, options: DrillOptions): Promise<number> {
  const { out, services } = session;
  const config = await services.config();
  const asker = await signerOf(session, options);
  const approver = await secondOf(session, config, options, asker);
  const machine = await machineOf(session, config, options);
  const client = await services.client();
  const state = await stateOf(client, options.identity).catch(toBeMade);
  if (!state) throw noWorker(`${options.identity} did not answer`);
  const spec = demandForDrills(options.identity, state);
  const chosen = options.only ? drills.filter(({ id }) => options.only!.includes(id)) : drills;
  const range = { client, spec, asker, approver, ...(machine && { machine }), forger: strangerNamed };
  const results = await hold(chosen, range, (result) => tell(session, result));
  const broken = results.filter(({ outcome }) => outcome === 'broken');
  const held = results.filter(({ outcome }) => outcome === 'held').length;
  if (broken.length > 0) await alert(session, config, spec.name, broken);
  out.say(`${held} held, ${broken.length} broken, ${results.length - held - broken.length} not run`);
  out.answer({ identity: spec.name, ok: broken.length === 0 && held > 0, drills: results });
  return broken.length === 0 && held > 0 ? exitCodes.success : exitCodes.failure;
}

/** An identity for drills is nobody's own, so whoever drills for the first time has none. */
function toBeMade(error: unknown): never {
  if (!(error instanceof CliError) || error.code !== 'NotFound') throw error;
  const message = `${error.message}: drills need one that is there for nothing else; docs/drills.md has a manifest. Nothing was tried`;
  throw new CliError('NotFound', message, ['tenure drill --help', 'tenure list']);
}

/** Drills rotate, ask for more rights and try to revoke: on what somebody uses a broken control would be an incident. */
function demandForDrills(name: string, { spec, status, running }: IdentityState): IdentitySpec {
  const why =
    spec?.tags[tag] !== 'true'
      ? `${name} is not there for drills: its manifest has no tag ${tag}: "true"`
      : status !== 'active'
        ? `${name} is ${status}; drills need it active`
        : running && `${running.operation} runs; drills begin when nothing does`;
  if (why === undefined) return spec!;
  throw new CliError('InvalidRequest', `${why}. Nothing was tried`, [`tenure show ${name}`, 'tenure drill --help']);
}

async function secondOf(
  session: Session,
  config: TenureConfig,
  { second, secondKey }: DrillOptions,
  asker: Signer,
): Promise<Signer> {
  const approver = await open(session, config, second ?? standIn, secondKey).catch((error: unknown) => {
    if (second !== undefined) throw error;
    throw new CliError('InvalidRequest', 'drills need another person, who may decide', [
      'tenure drill --second PERSON --second-key FILE',
    ]);
  });
  if (approver.name !== asker.name) return approver;
  throw new CliError(
    'InvalidRequest',
    `${asker.name} asks in these drills; somebody else has to be the second person`,
    ['tenure drill --second PERSON --second-key FILE'],
  );
}

/** The automation's key is the worker's and seldom here; without one the drill that needs it is not run, and says so. */
async function machineOf(
  session: Session,
  config: TenureConfig,
  { machine, machineKey }: DrillOptions,
): Promise<Signer | undefined> {
  const opened = open(session, config, machine ?? config.automation.name, machineKey);
  return machine === undefined ? opened.catch(() => undefined) : opened;
}

async function open({ io, out }: Session, config: TenureConfig, name: string, file?: string): Promise<Signer> {
  // A key that is meant for whoever asks is not tried for anybody else.
  const { TENURE_KEY: _theirs, ...env } = io.env;
  return openSigner({
    name,
    directory: await directorySource(config).current(),
    stateDirectory: config.stateDirectory,
    ...(file !== undefined && { keyFile: isAbsolute(file) ? file : join(io.cwd, file) }),
    env,
    cwd: io.cwd,
    tell: (line) => out.note(line),
  });
}

function tell({ out }: Session, { id, outcome, title, proof, ms }: DrillResult): void {
  const paint = { held: out.paint.green, broken: out.paint.red, 'not run': out.paint.dim }[outcome];
  const time = outcome === 'not run' ? '' : ` (${(ms / 1_000).toFixed(1)} s)`;
  out.say(`${paint(outcome.padEnd(7))} ${out.paint.bold(id)}: ${title}${time}\n        ${proof}`);
}

/** Operators hear of it as of everything that needs them; that they could not be told changes nothing about the result. */
async function alert(
  { out }: Session,
  { notices, consumers }: TenureConfig,
  identity: string,
  broken: readonly DrillResult[],
): Promise<void> {
  const { createNoticeActivities } = await import('../../../activities/notices.js');
  const log = { info: () => undefined, error: () => undefined, warn: (_: object, text: string) => out.note(text) };
  const { notify } = createNoticeActivities({ log: log as never, ...notices, ...consumers });
  const text = `drills are broken: ${broken.map(({ id, proof }) => `${id} (${proof})`).join('; ')}`;
  await notify({ identity, operation: identityId(identity), level: 'alert', text });
}
