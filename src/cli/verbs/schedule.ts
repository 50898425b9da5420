import type { Command } from 'commander';
import { listSchedules, pauseSchedule, resumeSchedule, startCampaign } from '../../temporal/schedules.js';
import { CliError } from '../errors.js';
import { newRequestId } from '../identities.js';
import { exitCodes } from '../io.js';
import { personOf } from '../person.js';
import { verb, type CommonOptions, type Runtime, type Session } from '../session.js';
import { signerOf, signing, type SigningOptions } from '../signing.js';
import { relative } from '../words.js';

interface ScheduleOptions extends CommonOptions {
  readonly as?: string;
  readonly reason?: string;
}

export function addSchedule(program: Command, runtime: Runtime): void {
  const schedule = program
    .command('schedule')
    .description('look at and steer the Temporal Schedules of the rotation policies')
    .addHelpText(
      'after',
      '\n`tenure apply` makes and updates them.\n\nExamples:\n  tenure schedule list\n  tenure schedule pause monthly --reason "release week"\n  tenure schedule trigger monthly',
    );
  addListVerb(schedule, runtime);
  addPauseVerb(schedule, runtime);
  addResumeVerb(schedule, runtime);
  addTriggerVerb(schedule, runtime);
}

function addListVerb(schedule: Command, runtime: Runtime): void {
  verb<CommonOptions>(
    runtime,
    schedule.command('list').description('list the schedules, and when they start next'),
    async ({ services, out }) => {
      const schedules = await listSchedules(await services.client());
      out.answer({ schedules });
      if (schedules.length === 0)
        return out.say('there is no schedule; a rotation policy with `every` or `cron` makes one: tenure apply');
      const now = Date.now();
      out.table(
        ['POLICY', 'STATE', 'NEXT', 'LAST', 'NOTE'],
        schedules.map(({ policy, paused, nextAt, lastAt, note }) => [
          policy,
          paused ? out.paint.yellow('paused') : out.paint.green('active'),
          nextAt === null || paused ? '-' : relative(nextAt, now),
          lastAt === null ? '-' : relative(lastAt, now),
          note,
        ]),
      );
    },
  );
}

function addPauseVerb(schedule: Command, runtime: Runtime): void {
  const command = schedule
    .command('pause <policy>')
    .description('start no more campaigns of this policy; what runs goes on')
    .requiredOption('--reason <text>', 'why; shown wherever the schedule is')
    .option('--as <person>', "who says so (default: git's user.email, or the system's user)");
  verb<ScheduleOptions>(runtime, command, async ({ io, services, out }, options, [policy]) => {
    await known(
      policy!,
      pauseSchedule(await services.client(), policy!, `paused by ${personOf(io, options.as)}: ${options.reason}`),
    );
    out.say(`${policy} is paused; resume it with: tenure schedule resume ${policy}`);
    out.answer({ policy, paused: true });
  });
}

function addResumeVerb(schedule: Command, runtime: Runtime): void {
  const command = schedule
    .command('resume <policy>')
    .description('start campaigns of this policy again')
    .option('--as <person>', "who says so (default: git's user.email, or the system's user)");
  verb<ScheduleOptions>(runtime, command, async ({ io, services, out }, options, [policy]) => {
    await known(policy!, resumeSchedule(await services.client(), policy!, `resumed by ${personOf(io, options.as)}`));
    out.say(`${policy} is active again`);
    out.answer({ policy, paused: false });
  });
}

function addTriggerVerb(schedule: Command, runtime: Runtime): void {
  const command = schedule
    .command('trigger <policy>')
    .description('start a campaign of this policy now; it rotates what is due and no more')
    .addHelpText(
      'after',
      '\nA window or a freeze still holds. To rotate one identity whether due or not: tenure rotate NAME',
    );
  verb<CommonOptions & SigningOptions>(runtime, signing(command), (session, options, [policy]) =>
    trigger(session, options, policy!),
  );
}

/** Whoever starts it is behind what it asks for: it stands in the records, and they do not approve it. */
async function trigger(session: Session, options: SigningOptions, policy: string): Promise<number> {
  const { out, services } = session;
  const signer = await signerOf(session, options);
  const { wordSigned } = await import('../../trust/statements.js');
  const triggered = await startCampaign(await services.client(), policy, (campaign) =>
    wordSigned({ by: signer.name, policy }, { verb: 'trigger', subject: campaign, id: newRequestId() }, signer),
  );
  if (triggered === 'absent') throw unknown(policy);
  if (triggered === 'at work')
    throw new CliError('Conflict', `a campaign of ${policy} is at work, and looks again by itself for what is due`, [
      'tenure schedule list',
    ]);
  out.say(
    `${signer.name} started a campaign of ${policy}: it rotates what is due, each as policy allows; see what it asks for with: tenure list, tenure approvals`,
  );
  out.answer({ policy, triggered: true, by: signer.name });
  return exitCodes.success;
}

async function known(policy: string, done: Promise<boolean>): Promise<void> {
  if (!(await done)) throw unknown(policy);
}

function unknown(policy: string): CliError {
  return new CliError('NotFound', `no schedule is named ${policy}`, ['tenure schedule list', 'tenure apply']);
}
