import type { Client } from '@temporalio/client';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { identityKinds, type IdentityStatus } from '../../domain/identity.js';
import { processOf } from '../identities.js';
import { verb, type CommonOptions, type Runtime, type Session } from '../session.js';
import { listGates, listIdentities, listParked, type Filter, type ListedProcess } from '../visible.js';
import { relative } from '../words.js';

interface ListOptions extends CommonOptions, Filter {
  readonly parked?: boolean;
  readonly gates?: boolean;
  readonly names?: boolean;
}

export function addList(program: Command, runtime: Runtime): void {
  const command = program
    .command('list')
    .description('list identities, from Temporal; needs no worker')
    .addOption(new Option('--kind <kind>', 'only of this kind').choices([...identityKinds]))
    .option('--owner <person>', 'only of this owner')
    .option('--target <name>', 'only at this target')
    .option('--environment <name>', 'only in this environment')
    .addOption(new Option('--status <status>', 'only with this status').choices([...statuses]))
    .option('--tag <key:value>', 'only with this tag, e.g. team:payments', tagOption)
    .option('--overdue', 'only whose next rotation should have been by now')
    .option('--parked', 'list the processes that need a person, and what they need')
    .option('--gates', 'list the processes that wait for an approval')
    .option('--names', 'only the names, one a line')
    .addHelpText(
      'after',
      '\nExamples:\n  tenure list --owner ada@example.com --status active\n  tenure list --overdue\n  tenure list --parked\n  tenure list --json | jq -r ".identities[].name"',
    );
  verb<ListOptions>(runtime, command, async (session, options) => {
    const client = await session.services.client();
    if (options.parked) return tellParked(session, client, await listParked(client));
    if (options.gates) return tellGates(session, await listGates(client));
    const identities = await listIdentities(client, options);
    session.out.answer({ identities });
    if (options.names) return identities.forEach(({ name }) => session.out.say(name));
    if (identities.length === 0)
      return session.out.say('no identity matches; declare one in a manifest and run: tenure apply');
    const now = Date.now();
    session.out.table(
      ['NAME', 'KIND', 'STATUS', 'TARGET', 'OWNER', 'ENVIRONMENT', 'NEXT ROTATION'],
      identities.map((identity) => [
        identity.name,
        identity.kind,
        painted(session, identity.status),
        identity.target,
        identity.owner,
        identity.environment,
        identity.nextRotationAt === null ? '-' : relative(identity.nextRotationAt, now),
      ]),
    );
  });
}

const statuses: readonly IdentityStatus[] = ['absent', 'active', 'revoked', 'offboarded', 'needs-operator'];

function tagOption(text: string): string {
  if (/^[^:]+:/.test(text)) return text;
  throw new InvalidArgumentError('expected key:value, e.g. team:payments');
}

async function tellParked(session: Session, client: Client, parked: readonly ListedProcess[]): Promise<void> {
  const { out } = session;
  const needs = await Promise.all(
    parked.map(async (process) => ({
      ...process,
      parked: (await processOf(client, process.operation))?.parked ?? null,
    })),
  );
  out.answer({ parked: needs });
  if (needs.length === 0) return out.say('nothing is parked');
  for (const process of needs) {
    out.say(`${out.paint.yellow(process.operation)} is parked at ${process.parked?.stage ?? process.stage}`);
    out.say(`  why: ${process.parked?.why ?? 'no worker answers, so it is not known; start one with: tenure worker'}`);
    for (const command of process.parked?.commands ?? [`tenure show ${process.identity}`])
      out.say(`  next: ${command}`);
  }
}

function tellGates(session: Session, gates: readonly ListedProcess[]): void {
  session.out.answer({ gates });
  if (gates.length === 0) return session.out.say('nothing waits for an approval');
  session.out.table(
    ['PROCESS', 'SINCE', 'NEXT'],
    gates.map(({ operation, startedAt, identity }) => [
      operation,
      relative(startedAt, Date.now()),
      `tenure approve ${identity}`,
    ]),
  );
}

function painted(session: Session, status: string): string {
  const { green, red, yellow, dim } = session.out.paint;
  const paints: Readonly<Record<string, (text: string) => string>> = {
    active: green,
    revoked: red,
    'needs-operator': yellow,
    offboarded: dim,
    absent: dim,
  };
  return (paints[status] ?? String)(status);
}
