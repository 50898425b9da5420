/** What happened to an identity, in plain words. Pure: facts in, sentences out. */
import type { ProcessKind, ProcessOutcome } from '../domain/process.js';
import type { ChangeRequest } from '../domain/request.js';
import { undoneInWords } from './outcome.js';
import { count } from './words.js';
import { span } from '../domain/span.js';

/** One thing that happened. `workflow` is the id of the identity or of the process; `at` is ISO 8601. */
export type Fact = { readonly at: string; readonly workflow: string } & Happening;

type Happening =
  | { readonly what: 'identity begun' }
  | {
      readonly what: 'asked';
      readonly kind: ChangeRequest['kind'];
      readonly requester: string;
      readonly reason?: string;
      readonly emergency: boolean;
    }
  | { readonly what: 'refused'; readonly kind?: ChangeRequest['kind']; readonly code: string; readonly reason: string }
  | { readonly what: 'process begun'; readonly kind: ProcessKind }
  | ({ readonly what: 'step done'; readonly ms: number; readonly lastFailure?: string; readonly proof?: string } & Step)
  | ({ readonly what: 'step failed'; readonly code: string; readonly message: string } & Step)
  | {
      readonly what: 'decided';
      readonly effect: 'allow' | 'deny';
      readonly reasons: readonly string[];
      readonly approvals: number;
    }
  | { readonly what: 'held'; readonly until: string; readonly reason: string }
  | { readonly what: 'staged'; readonly principal: string; readonly fingerprint: string }
  | { readonly what: 'waited'; readonly summary: string }
  | {
      readonly what: 'voted';
      readonly by: string;
      readonly decision: 'approve' | 'deny' | 'withdraw';
      readonly reason?: string;
    }
  | { readonly what: 'acknowledged'; readonly consumer: string; readonly by: string }
  | { readonly what: 'resumed'; readonly by: string; readonly how: 'again' | 'go-on' }
  | { readonly what: 'abandoned'; readonly by: string; readonly reason: string }
  | { readonly what: 'given back'; readonly by: string; readonly note?: string }
  | { readonly what: 'pre-empted'; readonly by: string }
  | { readonly what: 'cancel asked'; readonly reason?: string }
  | { readonly what: 'terminated' }
  | ({ readonly what: 'ended'; readonly kind: ProcessKind } & End);

interface Step {
  readonly activity: string;
  readonly summary?: string;
  readonly attempt: number;
}

interface End {
  readonly outcome: ProcessOutcome | 'cancelled';
  readonly code?: string;
  readonly message?: string;
  readonly leftovers?: readonly string[];
  readonly evidence?: string;
}

/** Facts of several workflows in one order: by time, and for equal times as given. */
export function inOrder(facts: readonly Fact[]): Fact[] {
  return facts.toSorted((one, other) => one.at.localeCompare(other.at));
}

/** One sentence for one fact. */
export function sentenceOf(fact: Fact): string {
  switch (fact.what) {
    case 'identity begun':
      return 'the identity became known';
    case 'asked':
      return `${fact.requester} asked to ${fact.kind}${fact.emergency ? ' at once, as an emergency' : ''}${because(fact.reason)}`;
    case 'refused':
      return `that was refused (${fact.code}): ${fact.reason}`;
    case 'process begun':
      return `${fact.kind} began`;
    case 'step done':
      return `${wordsOf(fact)}: done in ${span(fact.ms)}${tries(fact.attempt, fact.lastFailure)}${fact.proof === undefined ? '' : ` - ${fact.proof}`}`;
    case 'step failed':
      return `${wordsOf(fact)}: failed with ${fact.code}${tries(fact.attempt)}: ${fact.message}`;
    case 'decided':
      return `policy ${fact.effect === 'allow' ? 'allowed' : 'denied'} it${fact.approvals > 0 ? `, with ${count(fact.approvals, 'approval')}` : ''}: ${fact.reasons.join(', ')}`;
    case 'held':
      return `nothing may change until ${fact.until}: ${fact.reason}`;
    case 'staged':
      return `a credential was made for ${fact.principal}, fingerprint ${fact.fingerprint}, and kept in the store`;
    case 'waited':
      return `the time ran out: ${fact.summary}`;
    case 'voted':
      return `a decision came, signed as ${fact.by}: ${fact.decision} the plan${because(fact.reason)}`;
    case 'acknowledged':
      return `${fact.by} confirmed that ${fact.consumer} took the new credential`;
    case 'resumed':
      return `${fact.by} told it to ${fact.how === 'again' ? 'try again' : 'go on without what it waited for'}`;
    case 'abandoned':
      return `${fact.by} gave it up${because(fact.reason)}`;
    case 'given back':
      return `${fact.by} said that lent rights are not needed any more${because(fact.note)}`;
    case 'pre-empted':
      return `it was pre-empted by ${fact.by}`;
    case 'cancel asked':
      return `it was asked to cancel${because(fact.reason)}`;
    case 'terminated':
      return 'it was terminated from outside: nothing was cleaned up; check with tenure validate';
    case 'ended':
      return endOf(fact.kind, fact);
    default:
      return fact satisfies never;
  }
}

function endOf(kind: ProcessKind, end: End): string {
  const meaning = {
    succeeded: 'succeeded',
    undone: undoneInWords(kind),
    unfinished: 'failed and left something',
    'pre-empted': 'stopped for an emergency',
    cancelled: 'was cancelled',
  } satisfies Record<End['outcome'], string>;
  const why = end.message === undefined ? '' : ` (${end.code}: ${end.message})`;
  const left = end.leftovers ? `; left: ${end.leftovers.join('; ')}` : '';
  const sealed = end.evidence === undefined ? '' : `, sealed as ${end.evidence}`;
  return `${kind} ${meaning[end.outcome]}${why}${left}${sealed}`;
}

function because(reason: string | undefined): string {
  return reason === undefined ? '' : `: ${reason}`;
}

function tries(attempt: number, lastFailure?: string): string {
  if (attempt <= 1) return '';
  return `, at attempt ${attempt}${lastFailure === undefined ? '' : ` (before: ${lastFailure})`}`;
}

/** The summary as the Temporal UI shows it, or the name of the activity in words. */
function wordsOf({ activity, summary }: Step): string {
  return summary ?? activity.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
}
