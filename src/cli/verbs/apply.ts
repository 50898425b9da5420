import type { Command } from 'commander';
import type { Answer, ChangeRequest } from '../../domain/request.js';
import type { IdentityDiff } from '../../manifest/diff.js';
import { schedulePolicies } from '../../manifest/rotation.js';
import type { Signer } from '../../trust/statements.js';
import { syncSchedules } from '../../temporal/schedules.js';
import { asking, followRequest, patienceOf, requestOf, type ChangeOptions } from '../change.js';
import { inTurns } from '../concurrency.js';
import { confirm } from '../confirm.js';
import { complaintOf, nextCommands, noWorker } from '../errors.js';
import type { View } from '../follow.js';
import { ask, askOrStart, newRequestId } from '../identities.js';
import { exitCodes } from '../io.js';
import { briefView, stagesView } from '../live.js';
import { isChange, makePlan, planDocument, tellPlan, type Plan } from '../manifests.js';
import { endDocument, tellEnd } from '../outcome.js';
import { verb, type Runtime, type Session } from '../session.js';
import { signerOf } from '../signing.js';
import { isWorked } from '../workers.js';

interface ApplyOptions extends ChangeOptions {
  readonly prune?: boolean;
  readonly reinstate?: boolean;
  readonly rotate?: boolean;
  readonly yes?: boolean;
}

export function addApply(program: Command, runtime: Runtime): void {
  const command = program
    .command('apply [paths...]')
    .description('bring about what the manifests declare, and the schedules of their rotation policies')
    .option('--prune', 'offboard what is in no manifest, and delete its schedules')
    .option('--reinstate', 'make a new credential for what was revoked')
    .option('--rotate', 'rotate what is as declared too, naming what its manifest says')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nPaths are manifests or folders of them (default: manifests/ beside tenure.yaml). On a terminal it shows the plan and asks;\nin a pipe it goes ahead, but for --prune, which then needs --yes.\n\nExamples:\n  tenure apply\n  tenure apply manifests/ --no-wait --yes\n  tenure apply --prune --yes',
    );
  verb<ApplyOptions>(runtime, asking(command), apply);
}

async function apply(session: Session, options: ApplyOptions, paths: readonly string[]): Promise<number> {
  const { out, services } = session;
  const prune = options.prune === true;
  const plan = await makePlan(session, paths, options);
  tellPlan(out, plan, prune);
  if (!isChange(plan, prune)) {
    out.answer({ plan: planDocument(plan), results: [] });
    return exitCodes.success;
  }
  if (!(await isWorked(plan.client, await services.namespace()))) throw noWorker('nothing was applied');
  if (!(await isMeant(session, options))) {
    out.note('nothing was applied');
    return exitCodes.failure;
  }
  const signer = await signerOf(session, options);
  const sent = await inTurns(toDo(plan, prune), sentAtOnce, (identity) =>
    send(session, plan, identity, options, signer),
  );
  await syncSchedules(plan.client, schedulePolicies(plan.declared), prune);
  return finish(session, plan, sent, options);
}

/** A plan that only adds and changes may run unattended; one that removes must have been meant. */
async function isMeant(session: Session, options: ApplyOptions): Promise<boolean> {
  const canAsk = session.io.stdin.isTTY === true && session.io.stdout.isTTY === true && !session.out.asJson;
  return canAsk || options.prune ? confirm(session, 'Apply this?', options.yes) : true;
}

const sentAtOnce = 8;
const followedAtOnce = 16;

function toDo({ diff }: Plan, prune: boolean): IdentityDiff[] {
  return diff.identities.filter(
    ({ action }) => action !== 'unchanged' && action !== 'revoked' && (action !== 'vanished' || prune),
  );
}

/** A request that was sent, with its answer; `undefined` where it could not be sent. */
interface Sent {
  readonly name: string;
  readonly request: ChangeRequest;
  readonly answer: Answer;
}

async function send(
  session: Session,
  { client, actual }: Plan,
  identity: IdentityDiff,
  options: ApplyOptions,
  signer: Signer,
): Promise<Sent> {
  const { name, action, spec, blocked } = identity;
  const kind = action === 'vanished' ? 'offboard' : action === 'unchanged' || action === 'revoked' ? 'amend' : action;
  const id = options.requestId === undefined ? newRequestId() : `${options.requestId}/${name}`;
  const request = await requestOf(session, { ...options, requestId: id }, name, kind, {
    signer,
    ...(spec && { spec }),
  });
  // One that only waits for another process to end may queue behind it.
  if (blocked !== undefined && !actual.get(name)?.running)
    return { name, request, answer: { accepted: false, code: 'Conflict', reason: blocked } };
  try {
    return {
      name,
      request,
      answer: await (kind === 'provision' && spec ? askOrStart(client, spec, request) : ask(client, name, request)),
    };
  } catch (error) {
    const { message } = complaintOf(error);
    return { name, request, answer: { accepted: false, code: 'OutcomeUnknown', reason: message } };
  }
}

async function finish(session: Session, plan: Plan, sent: readonly Sent[], options: ApplyOptions): Promise<number> {
  const results = await inTurns(sent, followedAtOnce, (one) => end(session, plan, one, options, sent.length === 1));
  session.out.answer({ plan: planDocument(plan), results: results.map(({ document }) => document) });
  const failed = results.filter(({ code }) => code !== exitCodes.success);
  if (results.length > 1)
    session.out.say(`${results.length - failed.length} of ${results.length} ${options.wait ? 'done' : 'accepted'}`);
  return failed[0]?.code ?? exitCodes.success;
}

interface Ended {
  readonly code: number;
  readonly document: Record<string, unknown>;
}

async function end(
  session: Session,
  { client }: Plan,
  { name, request, answer }: Sent,
  options: ApplyOptions,
  isAlone: boolean,
): Promise<Ended> {
  const { out } = session;
  if (!answer.accepted) {
    out.note(`${out.paint.red(`${name}: ${request.kind} was refused`)}: ${answer.code} ${answer.reason}`);
    for (const command of nextCommands(answer.code, name)) out.note(`  next: ${out.paint.bold(command)}`);
    return { code: exitCodes.failure, document: { identity: name, requestId: request.id, answer } };
  }
  if (!options.wait) {
    out.say(`${name}: ${request.kind} accepted: ${answer.note}`);
    return { code: exitCodes.success, document: { identity: name, requestId: request.id, answer } };
  }
  const view: View = isAlone ? stagesView(out) : briefView(out, name);
  const followed = await followRequest(client, name, request.id, view, patienceOf(session, options), answer.operation);
  return { code: tellEnd(out, name, followed), document: { requestId: request.id, ...endDocument(name, followed) } };
}
