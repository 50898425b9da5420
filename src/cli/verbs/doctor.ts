import type { Command } from 'commander';
import type { TenureConfig } from '../../config/types.js';
import {
  checkClock,
  checkNamespace,
  checkSearchAttributes,
  checkSecrets,
  checkWorkers,
  finding,
  type Finding,
} from '../checks.js';
import { exitCodes } from '../io.js';
import { verb, type CommonOptions, type Runtime, type Session } from '../session.js';

export function addDoctor(program: Command, runtime: Runtime): void {
  const command = program
    .command('doctor')
    .description('check configuration, keys, Temporal, workers, targets, stores and clock; say what to do')
    .addHelpText(
      'after',
      '\nChanges nothing. Exits with 1 when there is a problem.\n\nExamples:\n  tenure doctor\n  tenure doctor --json | jq ".findings[] | select(.ok | not)"',
    );
  verb<CommonOptions>(runtime, command, async (session) => {
    const findings: Finding[] = [];
    for await (const found of examine(session)) {
      findings.push(found);
      tell(session, found);
    }
    const problems = findings.filter(({ ok }) => !ok);
    session.out.answer({ ok: problems.length === 0, findings });
    session.out.say(
      problems.length === 0 ? 'all is well' : `${problems.length} of ${findings.length} checks found a problem`,
    );
    return problems.length === 0 ? exitCodes.success : exitCodes.failure;
  });
}

async function* examine(session: Session): AsyncGenerator<Finding> {
  const { services, io } = session;
  yield await finding('configuration', async () => (await services.config()).file);
  const config = await services.config().catch(() => undefined);
  if (config) yield* await Promise.all(checkSecrets(config, io.env));
  const temporal = await finding('temporal', async () => {
    await services.client();
    return await services.address();
  });
  yield temporal;
  if (temporal.ok) yield* examineTemporal(session);
  if (config) yield* examineConnectors(session, config);
}

async function* examineTemporal({ services }: Session): AsyncGenerator<Finding> {
  const [client, namespace] = await Promise.all([services.client(), services.namespace()]);
  yield await checkNamespace(client, namespace);
  yield await checkSearchAttributes(client, namespace);
  yield await checkWorkers(client, namespace);
  yield await checkClock(client, namespace);
}

async function* examineConnectors({ services }: Session, config: TenureConfig): AsyncGenerator<Finding> {
  for (const name of Object.keys(config.stores)) {
    yield await finding(`store ${name}`, async () => {
      await (await services.store(name)).probe();
      return 'can be read and written';
    });
  }
  for (const name of Object.keys(config.targets)) {
    yield await finding(`target ${name}`, async () => {
      const { version, problems, remarks = [] } = await (await services.targets()).get(name).probe();
      if (problems.length === 0) return [version, ...remarks].join('; ');
      return {
        detail: problems[0]!,
        todo: problems.slice(1).join('; ') || `see docs/targets/ for what target ${name} needs`,
      };
    });
  }
}

function tell({ out }: Session, { check, ok, detail, todo }: Finding): void {
  const mark = ok ? out.paint.green('ok     ') : out.paint.red('problem');
  out.say(`${mark}  ${check}: ${detail}`);
  if (todo !== undefined) out.say(`         do: ${todo}`);
}
