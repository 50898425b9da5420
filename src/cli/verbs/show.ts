import type { Client } from '@temporalio/client';
import type { Command } from 'commander';
import type { CredentialRecord } from '../../domain/credential.js';
import type { IdentityState } from '../../domain/identity.js';
import type { ProcessResult, ProcessState, Vote } from '../../domain/process.js';
import { identityId } from '../../domain/wire.js';
import { endingOf } from '../follow.js';
import { nameOf, processOf } from '../identities.js';
import { hintsOf } from '../live.js';
import type { Output } from '../output.js';
import { proofLines } from '../outcome.js';
import type { Services } from '../services.js';
import { verb, type CommonOptions, type Runtime } from '../session.js';
import { stageLine } from '../stages.js';
import { standingOf } from '../standing.js';
import { instant, relative, standing } from '../words.js';

export function addShow(program: Command, runtime: Runtime): void {
  const command = program
    .command('show <name>')
    .description('show where an identity stands: credential, next rotation, last processes, proofs')
    .addHelpText(
      'after',
      '\nExamples:\n  tenure show payments-db\n  tenure show payments-db --json | jq .state.current',
    );
  verb<CommonOptions>(runtime, command, async (session, _options, [typed]) => {
    const name = nameOf(typed!);
    const { out, services } = session;
    const client = await services.client();
    const { state, live } = await standingOf(client, await services.namespace(), name);
    const running = state.running && (await processOf(client, state.running.operation));
    const last = await lastEnded(client, state);
    const evidence = last?.evidence === undefined ? null : await evidenceOf(services, last.operation, last.evidence);
    const ui = await services.uiLink(identityId(name));
    out.answer({ identity: name, live, state, process: running ?? null, last: last ?? null, evidence, ui: ui ?? null });
    if (!live) out.note('no worker is running: this is what the last process left; start one with: tenure worker');
    tellState(out, state);
    if (running) tellRunning(out, running);
    tellRecent(out, state, last);
    if (evidence) out.say(`  evidence: ${evidence.digest}, told by: ${evidence.command}`);
    if (ui) out.say(`  Temporal UI    ${ui}`);
  });
}

async function lastEnded(client: Client, state: IdentityState): Promise<ProcessResult | undefined> {
  const operation = state.recent.findLast((process) => process.operation !== undefined)?.operation;
  if (operation === undefined) return undefined;
  const ending = await endingOf(client, operation, AbortSignal.timeout(5_000)).catch(() => undefined);
  return ending?.how === 'ended' ? ending.result : undefined;
}

/** The record by its digest, the log that it lies in, as far as the operator's file says, and what tells it. */
async function evidenceOf(
  services: Services,
  operation: string,
  digest: string,
): Promise<{ readonly digest: string; readonly file: string; readonly command: string }> {
  const log = (await services.config().catch(() => undefined))?.evidence.log ?? {
    directory: '<stateDirectory>/evidence',
  };
  const file = 'directory' in log ? log.directory : `s3://${log.s3.bucket}/${log.s3.prefix}`;
  return { digest, file, command: `tenure explain ${operation}` };
}

function tellState(out: Output, state: IdentityState): void {
  const { spec } = state;
  out.say(`${out.paint.bold(state.name)}  ${standing(state)}`);
  if (spec) {
    out.say(`  what           ${spec.kind} in ${spec.environment}, ${spec.dataClass} data: ${spec.purpose}`);
    out.say(`  owner          ${spec.owner.person}${spec.owner.team ? ` (${spec.owner.team})` : ''}`);
    out.say(`  target         ${spec.target.name} ${JSON.stringify(spec.target.scope)}`);
    out.say(`  delivered to   ${spec.deliver.map(({ store, path }) => `${store}:${path}`).join(', ')}`);
    out.say(`  consumers      ${spec.consumers.map((consumer) => consumer.name).join(', ') || 'none'}`);
  }
  out.say(`  current        ${credential(state.current)}`);
  for (const one of state.previous ?? []) out.say(`  previous       ${credential(one)}, not yet proven dead`);
  out.say(`  last rotation  ${when(state.lastRotatedAt)}`);
  out.say(`  next rotation  ${when(state.nextRotationAt)}`);
  for (const { kind, requester, id } of state.queue) out.say(`  queued         ${kind}, asked by ${requester} (${id})`);
  for (const { at, what } of state.problems) out.say(`  ${out.paint.yellow('problem')}        ${instant(at)} ${what}`);
}

function credential(record: CredentialRecord | undefined): string {
  if (!record) return 'none';
  return `${record.principal} at ${record.target}, version ${record.version}, fingerprint ${record.fingerprint}, since ${instant(record.createdAt)}`;
}

function when(iso: string | undefined): string {
  return iso === undefined ? '-' : `${instant(iso)} (${relative(iso, Date.now())})`;
}

function tellRunning(out: Output, process: ProcessState): void {
  out.say(`\n${process.operation}, asked by ${process.requester}`);
  for (const stage of process.stages) out.say(`  ${stageLine(stage, out)}`);
  if (process.gate?.outcome === 'open') {
    for (const vote of process.gate.votes) out.say(`  ${voted(vote)}`);
    for (const { claimed, reason } of process.gate.refused.slice(-mostShown))
      out.say(`  ${out.paint.yellow('refused')}: a decision in the name of ${claimed}: ${reason}`);
  }
  for (const hint of hintsOf(process)) out.say(`  ${out.paint.yellow(hint)}`);
  if (!process.parked) return;
  out.say(`  ${out.paint.yellow(`parked at ${process.parked.stage}`)}: ${process.parked.why}`);
  for (const command of process.parked.commands) out.say(`  next: ${command}`);
}

function voted({ approver, decision, reason, at }: Vote): string {
  const why = reason === undefined ? '' : `: ${reason}`;
  return `${decision === 'approve' ? 'approved' : 'denied'} by ${approver} at ${instant(at)}${why}`;
}

const shownProcesses = 5;

export function tellRecent(out: Output, state: IdentityState, last: ProcessResult | undefined): void {
  if (state.recent.length > 0) out.say('\nlast processes, newest first');
  for (const process of state.recent.slice(-shownProcesses).toReversed()) {
    const why = [process.code, process.message].filter((part) => part !== undefined).join(' ');
    out.say(
      `  ${instant(process.endedAt)}  ${process.operation ?? process.kind}  ${process.outcome}${why && `: ${why}`}`,
    );
  }
  const proofs = last ? proofLines(last.proofs) : [];
  if (proofs.length > 0) out.say(`\nproofs of ${last!.operation}`);
  for (const proof of proofs) out.say(`  ${proof}`);
}

const mostShown = 5;
