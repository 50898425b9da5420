import type { Command } from 'commander';
import type { ProcessState } from '../../domain/process.js';
import { asking, change, followRequest, patienceOf, requestOf, type ChangeOptions } from '../change.js';
import { confirm } from '../confirm.js';
import type { View } from '../follow.js';
import { leave, nameOf } from '../identities.js';
import { exitCodes } from '../io.js';
import { stagesView } from '../live.js';
import { endDocument, tellEnd } from '../outcome.js';
import { verb, type Runtime, type Session } from '../session.js';
import { span } from '../../domain/span.js';
import { isWorked } from '../workers.js';

interface RevokeOptions extends ChangeOptions {
  readonly now?: boolean;
  readonly yes?: boolean;
}

/** Short, since it bounds the error of the time that is printed. */
const emergencyPollMs = 50;

export function addRevoke(program: Command, runtime: Runtime): void {
  const command = program
    .command('revoke <name>')
    .description('end every credential of an identity and prove that they are refused')
    .option('--now', 'emergency: pre-empts what runs, passes gates and freezes, is taken even while no worker runs')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nWith --now nothing is asked: the request is on its way before anything is printed.\n' +
        '\nExamples:\n  tenure revoke payments-db --now --reason "key found in a public repository"\n  tenure revoke payments-db --reason "moved to a vendor"',
    );
  verb<RevokeOptions>(runtime, asking(command), async (session, options, [typed]) => {
    const name = nameOf(typed!);
    if (options.now) return revokeNow(session, name, options);
    if (!(await confirm(session, `Revoke every credential of ${name}? What uses it stops working.`, options.yes))) {
      session.out.note('nothing was asked for');
      return exitCodes.failure;
    }
    return change(session, name, options, 'revoke');
  });
}

async function revokeNow(session: Session, name: string, options: RevokeOptions): Promise<number> {
  const { out, services } = session;
  const client = await services.client();
  const asked = performance.now();
  const request = await requestOf(session, options, name, 'revoke', { emergency: true });
  await leave(client, name, request);
  out.say(
    `${name}: the emergency revocation is recorded and is taken up whatever happens here (request id ${request.id})`,
  );
  if (!(await isWorked(client, await services.namespace()))) {
    out.note('no worker is running: it takes effect the moment one does. Start one with: tenure worker');
  }
  if (!options.wait) {
    out.answer({ identity: name, requestId: request.id, recorded: true });
    return exitCodes.success;
  }
  const watch = new RefusalWatch(stagesView(out), asked);
  const followed = await followRequest(client, name, request.id, watch, {
    ...patienceOf(session, options),
    pollMs: emergencyPollMs,
  });
  const refusedMs = watch.refusedMs;
  out.answer({ requestId: request.id, refusedMs: refusedMs ?? null, ...endDocument(name, followed) });
  const exitCode = tellEnd(out, name, followed);
  if (refusedMs !== undefined)
    out.say(
      `  ${span(refusedMs)} from the request to the proven refusal, measured here (looked every ${emergencyPollMs} ms)`,
    );
  return exitCode;
}

/** Notes when the refusal was first seen to be proven. */
class RefusalWatch implements View {
  refusedMs: number | undefined;

  constructor(
    private readonly shown: View,
    private readonly asked: number,
  ) {}

  look(state: ProcessState): void {
    const isProven = state.stages.some(({ name, status }) => name === 'refuse' && status === 'done');
    if (isProven) this.refusedMs ??= performance.now() - this.asked;
    this.shown.look(state);
  }

  aside(text: string): void {
    this.shown.aside(text);
  }

  close(): void {
    this.shown.close();
  }
}
