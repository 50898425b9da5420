import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import type { Command } from 'commander';
import { identityId, parseProcessId } from '../../domain/wire.js';
import { quoted } from '../../temporal/visibility-query.js';
import { factsOf } from '../facts.js';
import { nameOf, unknownIdentity } from '../identities.js';
import { countOption } from '../numbers.js';
import { verb, type CommonOptions, type Runtime } from '../session.js';
import { inOrder, sentenceOf, type Fact } from '../timeline.js';
import { instant } from '../words.js';

interface HistoryOptions extends CommonOptions {
  readonly last?: number;
}

export function addHistory(program: Command, runtime: Runtime): void {
  const command = program
    .command('history <name>')
    .description('tell what happened to an identity, in plain words; needs no worker')
    .option('--last <count>', 'only the last processes', countOption)
    .addHelpText(
      'after',
      '\n<name> is an identity, or a process such as nhi/payments-db/rotate/3.\n\nExamples:\n  tenure history payments-db --last 3\n  tenure history nhi/payments-db/rotate/3',
    );
  verb<HistoryOptions>(runtime, command, async (session, options, [typed]) => {
    const client = await session.services.client();
    const unread = new Set<string>();
    const facts = inOrder(await collect(client, typed!, (why) => unread.add(why)));
    if (facts.length === 0) throw unknownIdentity(nameOf(typed!));
    const shown = lastProcesses(facts, options.last ?? Number.POSITIVE_INFINITY);
    session.out.answer({
      identity: nameOf(typed!),
      facts: shown.map((fact) => ({ ...fact, sentence: sentenceOf(fact) })),
      ...(unread.size > 0 && { unread: [...unread] }),
    });
    for (const fact of shown)
      session.out.say(`${session.out.paint.dim(instant(fact.at))}  ${label(fact)}${sentenceOf(fact)}`);
    for (const why of unread) session.out.note(`not all of it can be told: ${why}`);
  });
}

/** The histories of the identity's runs and of its processes, or of one process. */
async function collect(client: Client, typed: string, onUnreadable: (why: string) => void): Promise<Fact[]> {
  const name = nameOf(typed);
  const wanted = parseProcessId(typed)
    ? `WorkflowId = ${quoted(typed)}`
    : `WorkflowId = ${quoted(identityId(name))} OR WorkflowId STARTS_WITH ${quoted(`${identityId(name)}/`)}`;
  const facts: Fact[] = [];
  for await (const { workflowId, history } of client.workflow
    .list({ query: wanted })
    .intoHistories({ concurrency: 4 })) {
    const { events } = history as temporal.api.history.v1.IHistory;
    facts.push(...(await factsOf(client, workflowId, events ?? [], onUnreadable)));
  }
  return facts;
}

/** From the beginning of the `count`-th last process on. */
export function lastProcesses(facts: readonly Fact[], count: number): readonly Fact[] {
  const begun = facts.flatMap((fact, index) => (fact.what === 'process begun' ? [index] : []));
  return begun.length > count ? facts.slice(begun[begun.length - count]) : facts;
}

function label(fact: Fact): string {
  const process = parseProcessId(fact.workflow);
  return process ? `${process.kind} ${process.number}: ` : '';
}
