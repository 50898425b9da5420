/** Exceptions: proven, published for policy, checked, ended, and what they covered enforced afterwards. */
import { Context } from '@temporalio/activity';
import { TenureError } from '../src/domain/errors.js';
import {
  exceptionId,
  type ControlResult,
  type ExceptionActivities,
  type ExceptionRecord,
  type Tended,
  suspensionsAfter,
} from '../src/domain/exception.js';
import { isLive } from '../src/exceptions/live.js';
import { proposalId, ruleOf } from '../src/exceptions/proposals.js';
import { readTerms } from '../src/exceptions/terms.js';
import { weighBallot } from '../src/trust/ballots.js';
import { requestSigned } from '../src/trust/statements.js';
import type { ExceptionDependencies } from './exceptions/dependencies.js';
import { checked, decisionWith, examinedIn, groundsOf } from './exceptions/examine.js';
import { approvedVotes, byOthers, requesterOf, whatChanged, withdrawnBy } from './exceptions/proof.js';

export type { ExceptionDependencies } from './exceptions/dependencies.js';

/** A proposal that was turned down is not made again for this long, milliseconds. */
const turnedDownMs = 7 * 86_400_000;

export function createExceptionActivities(deps: ExceptionDependencies): ExceptionActivities {
  const { settings, published, loadDirectory, others, signer, now = () => new Date() } = deps;
  return {
    async examineException({ terms, taken = false }) {
      return examinedIn(await groundsOf(deps, readTerms(terms), taken));
    },

    async weighException({ ballot, gate, terms, examined }) {
      const [read, directory] = [readTerms(terms), await loadDirectory()];
      const requester = await requesterOf(read, directory, now(), true);
      const { owner, environment, facts } = examined;
      const plan = facts ?? { owner, environment };
      const operation = exceptionId(read.id);
      const weighed = await weighBallot({ ballot, gate, plan, operation, requester, directory, now: now() });
      return byOthers(weighed, owner, now());
    },

    async publishException({ terms, gate }) {
      const read = readTerms(terms);
      const grounds = await groundsOf(deps, read, true);
      const examined = examinedIn(grounds);
      const reopened = whatChanged(gate, examined);
      if (reopened !== undefined) return { reopened };
      const at = now();
      const votes = await approvedVotes(read, gate, examined, {
        directory: await loadDirectory(),
        now: at,
        run: runId(),
      });
      const first = standing(examined.checks, at.toISOString());
      await publish({
        v: 1,
        terms: read,
        run: gate.run,
        examined,
        decision: decisionWith(grounds, votes),
        gate: { ...gate, votes, outcome: 'approved' },
        approvedAt: at.toISOString(),
        ...first,
        suspensions: suspensionsAfter([], first, at.toISOString()),
        checks: examined.checks,
        checkedAt: at.toISOString(),
        checkEveryMs: settings.checkEvery,
      });
      return {};
    },

    async tendException(id) {
      const record = await demandPublished(id);
      if (record.status === 'ended' || isOver(record)) return tended(record, false);
      const checks = await checked(deps, record.terms);
      const at = now().toISOString();
      const next = standing(checks, at);
      const changed = next.status !== record.status;
      const kept = changed ? next : { since: record.since, why: next.why };
      const suspensions = suspensionsAfter(record.suspensions ?? [], next, at);
      const after = { ...record, ...kept, checks, checkedAt: at, checkEveryMs: settings.checkEvery, suspensions };
      await published.replace(after);
      return tended(after, changed);
    },

    async endException({ id, word }) {
      const record = await demandPublished(id);
      if (record.status === 'ended') return { why: record.why, run: record.run };
      const why = isOver(record) ? `its time was over at ${record.terms.until}` : await withdrawal(record, word);
      await published.end(id, { since: now().toISOString(), why });
      return { why, run: record.run };
    },

    async enforceException(id) {
      const { status, terms, why } = await demandPublished(id);
      if (status !== 'ended') throw new TenureError('Conflict', `the exception ${id} has not ended`);
      const signs = await signer();
      const request = {
        id: `${exceptionId(id)}/${terms.afterwards}`,
        kind: terms.afterwards,
        requester: signs.name,
        reason: `the exception ${id} from ${terms.rules.join(', ')} has ended: ${why}`.slice(0, 1_000),
      } as const;
      const answer = await others.ask(terms.identity, await requestSigned(request, terms.identity, signs));
      return { asked: answer.accepted, detail: answer.accepted ? answer.note : answer.reason };
    },

    async proposeException({ identity, why }) {
      const { spec } = await others.state(identity);
      if (!spec) return { opened: false, detail: `${identity} is not declared` };
      const [rule, at] = [ruleOf(spec.kind), now()];
      const covering = (await published.all()).find(
        (record) => record.terms.identity === identity && record.terms.rules.includes(rule) && isLive(record, at),
      );
      if (covering) return { opened: false, detail: `excepted until ${covering.terms.until} by ${covering.terms.id}` };
      const before = await others.proposedSince(identity, rule, new Date(at.getTime() - turnedDownMs));
      if (before === 'closed') return { opened: false, detail: 'an exception was proposed lately and not taken up' };
      const id = proposalId(identity, rule, at);
      const closes = new Date(at.getTime() + settings.gate).toISOString();
      const owner = spec.owner.person;
      const opened = before === undefined && (await others.open({ id, identity, owner, rules: [rule], why, closes }));
      return { opened, detail: `${owner} can sign an exception or rotate it: tenure except list` };
    },
  };

  /** An activity may be repeated: the same run may publish it again, and another never. */
  async function publish(record: ExceptionRecord): Promise<void> {
    if (await published.create(record)) return;
    const before = await published.read(record.terms.id);
    if (before?.run === record.run && before.status !== 'ended') return;
    throw new TenureError('Conflict', `there was an exception ${record.terms.id} already; ask for another one`);
  }

  async function demandPublished(id: string): Promise<ExceptionRecord> {
    const record = await published.read(id);
    if (record) return record;
    throw new TenureError('ApprovalRefused', `no exception ${id} was ever approved; it excepts from nothing`);
  }

  function isOver({ terms }: ExceptionRecord): boolean {
    return now().getTime() >= Date.parse(terms.until);
  }

  async function withdrawal(
    record: ExceptionRecord,
    word: Parameters<ExceptionActivities['endException']>[0]['word'],
  ): Promise<string> {
    if (!word) throw new TenureError('Conflict', `the exception ${record.terms.id} holds until ${record.terms.until}`);
    const { spec } = await others.state(record.terms.identity);
    const owner = spec?.owner.person ?? record.examined.owner;
    const who = await withdrawnBy(record, word, owner, { directory: await loadDirectory(), now: now() });
    return `withdrawn by ${who.name}: ${word.reason}`.slice(0, 1_000);
  }

  function tended({ status, why, checks, terms }: ExceptionRecord, changed: boolean): Tended {
    const leftMs = Math.max(0, Date.parse(terms.until) - now().getTime());
    return { status, changed, why, checks, nextCheckMs: Math.min(settings.checkEvery, leftMs) };
  }
}

/** It holds as long as every control does. */
function standing(checks: readonly ControlResult[], since: string): Pick<ExceptionRecord, 'status' | 'since' | 'why'> {
  const failing = checks.filter(({ holds }) => !holds);
  if (failing.length === 0) return { status: 'active', since, why: 'approved, and every control holds' };
  const why = failing.map(({ control, detail }) => `not so: ${control} (${detail})`).join('; ');
  return { status: 'suspended', since, why };
}

/** The run that asks, as Temporal itself says: nothing that the workflow could claim. */
function runId(): string {
  return Context.current().info.workflowExecution!.runId;
}
