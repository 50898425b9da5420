import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { Option, type Command } from 'commander';
import {
  elevationReviewWorkflow,
  noRecord,
  reviewId,
  reviewMessages,
  type ReviewState,
} from '../../domain/elevation-review.js';
import { span } from '../../domain/span.js';
import type { Signed } from '../../domain/statement.js';
import { parseProcessId } from '../../domain/wire.js';
import { quoted } from '../../temporal/visibility-query.js';
import { CliError, noWorker } from '../errors.js';
import { nameOf } from '../identities.js';
import { exitCodes } from '../io.js';
import { verb, type CommonOptions, type Runtime, type Session } from '../session.js';
import { signerOf, signing, type SigningOptions } from '../signing.js';
import { relative } from '../words.js';

interface ReviewedOptions extends CommonOptions, SigningOptions {
  readonly verdict: 'justified' | 'drill' | 'misuse';
  readonly notes: string;
}

export function addReviews(program: Command, runtime: Runtime): void {
  const command = program
    .command('reviews')
    .description('list elevations that other people have to review, and those that are under way')
    .addHelpText('after', '\nExamples:\n  tenure reviews\n  tenure reviews --json | jq -r .reviews[].operation');
  verb<CommonOptions>(runtime, command, async ({ out, services }) => {
    const client = await services.client();
    const reviews = await openReviews(client);
    out.answer({ reviews });
    if (reviews.length === 0) out.say('no elevation is under way, and none waits for a review');
    for (const review of reviews) for (const line of linesOf(review)) out.say(line);
  });
}

export function addReviewed(program: Command, runtime: Runtime): void {
  const command = program
    .command('reviewed <name>')
    .description('sign what you found when you reviewed an elevation that somebody else had asked for')
    .addOption(
      new Option('--verdict <verdict>', 'what it was').choices(['justified', 'drill', 'misuse']).makeOptionMandatory(),
    )
    .requiredOption('--notes <text>', 'what you looked at, and what you found; signed, and kept in the record')
    .addHelpText(
      'after',
      '\n<name> is an identity, or an elevation such as nhi/payments-db/elevate/4. What it did: tenure explain <elevation>\n' +
        '\nExamples:\n  tenure reviewed payments-db --verdict justified --notes "one row deleted, as INC-7 says"',
    );
  verb<ReviewedOptions>(runtime, signing(command, 'who reviewed'), reviewed);
}

async function reviewed(session: Session, options: ReviewedOptions, [typed]: readonly string[]): Promise<number> {
  const { out, services } = session;
  const client = await services.client();
  const state = await reviewAskedFor(client, typed!);
  const { operation, evidence } = state;
  if (evidence === undefined)
    throw new CliError('Conflict', `${operation} is still under way; it is reviewed once it has ended`, [
      'tenure reviews',
    ]);
  await demandRecorded(session, operation, evidence);
  const signer = await signerOf(session, options);
  const { reviewSigned } = await import('../../trust/statements.js');
  const { verdict, notes } = options;
  const signed = await reviewSigned({ operation, evidence, verdict, notes }, signer);
  const handle = client.workflow.getHandle(reviewId(operation));
  const before = await stateOf(client, operation);
  await handle.signal(reviewMessages.review, signed);
  const after = await lookedAt(client, before, signed);
  if (!isCounted(after, signed))
    throw new CliError('ApprovalRefused', `it does not count: ${after.refused.at(-1)?.reason}`, ['tenure reviews']);
  out.answer({ review: after });
  out.say(`${signer.name} found ${operation} ${verdict}; ${missingInWords(after)}`);
  return exitCodes.success;
}

/** The workflow that answers may be anybody's: nobody signs the digest of a record that is not in the log. */
async function demandRecorded({ services }: Session, operation: string, evidence: string): Promise<void> {
  if (evidence === noRecord) return;
  const { openEvidence } = await import('../../evidence/open.js');
  const records = await openEvidence(await services.config()).runsOf(operation);
  if (records.some(({ digest }) => digest === evidence)) return;
  throw new CliError('Conflict', `the log has no record ${evidence} of ${operation}; nothing was signed`, [
    `tenure explain ${operation}`,
  ]);
}

async function reviewAskedFor(client: Client, typed: string): Promise<ReviewState> {
  if (parseProcessId(typed)) return stateOf(client, typed);
  const name = nameOf(typed);
  const open = (await openReviews(client)).filter(
    ({ identity, evidence }) => identity === name && evidence !== undefined,
  );
  const [only, ...others] = open;
  if (!only)
    throw new CliError('NotFound', `no elevation of ${name} waits for a review`, [
      'tenure reviews',
      `tenure show ${name}`,
    ]);
  if (others.length === 0) return only;
  throw new CliError(
    'Conflict',
    `several elevations of ${name} wait for a review; name one`,
    open.map(({ operation }) => `tenure reviewed ${operation} --verdict …`),
  );
}

async function openReviews(client: Client): Promise<ReviewState[]> {
  const query = `WorkflowType = ${quoted(elevationReviewWorkflow)} AND ExecutionStatus = 'Running'`;
  const operations: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query }))
    operations.push(workflowId.replace(/\/review$/, ''));
  const states = await Promise.all(operations.map((operation) => stateOf(client, operation)));
  return states.toSorted((one, other) => (one.due ?? '9').localeCompare(other.due ?? '9'));
}

async function stateOf(client: Client, operation: string): Promise<ReviewState> {
  const ask = (): Promise<ReviewState> =>
    client.workflow.getHandle(reviewId(operation)).query<ReviewState>(reviewMessages.state);
  try {
    return await client.withDeadline(Date.now() + 10_000, ask);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw noWorker(`the review of ${operation} did not answer`);
    throw new CliError('NotFound', `nothing is known of a review of ${operation}`, ['tenure reviews']);
  }
}

/** Waits until what was sent has been looked at; verifying takes milliseconds where a worker runs. */
async function lookedAt(client: Client, before: ReviewState, signed: Signed): Promise<ReviewState> {
  const lastRefusal = ({ refused }: ReviewState): string => JSON.stringify(refused.at(-1) ?? null);
  for (const end = Date.now() + 15_000; ;) {
    const state = await stateOf(client, before.operation);
    if (isCounted(state, signed) || lastRefusal(state) !== lastRefusal(before)) return state;
    if (Date.now() > end)
      throw new CliError('NoWorker', `it was sent, and nobody has looked at it yet`, [
        'tenure reviews',
        'tenure worker',
      ]);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

function isCounted({ reviews }: ReviewState, { signature }: Signed): boolean {
  return reviews.some(({ signed }) => signed.signature === signature);
}

function linesOf(state: ReviewState): string[] {
  const { operation, requester, elevation, reason, status, due, reviews, remarks } = state;
  const when = due === undefined ? '' : `, due ${relative(due, Date.now())}`;
  return [
    `${operation}  ${status === 'standing by' ? 'is under way' : `review ${status}`}${when}`,
    `  asked by ${requester} for ${elevation.incident}, ${span(elevation.forMs)}: ${reason}`,
    `  lent: ${JSON.stringify(elevation.scope)}`,
    ...reviews.map(({ reviewer, verdict, notes }) => `  ${reviewer} found it ${verdict}: ${notes}`),
    ...remarks.map((remark) => `  ${remark}`),
    ...(status === 'standing by' ? [] : [`  ${missingInWords(state)}: tenure reviewed ${operation} --verdict …`]),
  ];
}

function missingInWords({ people, reviews }: ReviewState): string {
  const lacking = people - reviews.length;
  if (lacking <= 0) return 'the review is complete';
  return `${lacking} more ${lacking === 1 ? 'person has' : 'people have'} to review it`;
}
