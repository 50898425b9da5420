/** Exceptions and identities as Temporal has them. */
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { TenureError } from '../../src/domain/errors.js';
import { exceptionId, exceptionWorkflow, type ExceptionStart, type Proposal } from '../../src/domain/exception.js';
import type { IdentityState } from '../../src/domain/identity.js';
import type { Answer, ChangeRequest } from '../../src/domain/request.js';
import { keyword, keywordList } from '../../src/domain/tags.js';
import { identityId, identityMessages, taskQueue } from '../../src/domain/wire.js';
import { searchAttributes } from '../../src/temporal/search-attributes.js';
import { quoted } from '../../src/temporal/visibility-query.js';
import type { Others } from './dependencies.js';

/** How long one identity has for its answer, milliseconds. */
const answerMs = 10_000;

/** The search attributes of an exception of this identity. */
export function exceptionAttributes(identity: string, rules: readonly string[], owner?: string) {
  const tags = keywordList([`exception:${identity}`, ...rules.map((rule) => `rule:${rule}`)]);
  return [
    { key: searchAttributes.tags, value: tags },
    ...(owner === undefined ? [] : [{ key: searchAttributes.owner, value: keyword(owner) }]),
  ];
}

export function othersOf(client: Client): Others {
  return {
    state: (identity) =>
      answered(identity, () =>
        client.workflow.getHandle(identityId(identity)).query<IdentityState>(identityMessages.state),
      ),

    ask: (identity, request) =>
      answered(identity, () =>
        client.workflow
          .getHandle(identityId(identity))
          .executeUpdate<Answer, [ChangeRequest]>(identityMessages.request, {
            args: [request],
            updateId: request.id,
          }),
      ),

    async open(proposal: Proposal) {
      const { id, identity, rules, owner } = proposal;
      const start: ExceptionStart = { proposal };
      try {
        await client.workflow.start(exceptionWorkflow, {
          workflowId: exceptionId(id),
          taskQueue,
          args: [start],
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          staticSummary: `proposed exception of ${identity} from ${rules.join(', ')}`.slice(0, 190),
          typedSearchAttributes: exceptionAttributes(identity, rules, owner),
        });
        return true;
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
        throw error;
      }
    },

    async proposedSince(identity, rule, since) {
      const tag = searchAttributes.tags.name;
      const like = `WorkflowType = ${quoted(exceptionWorkflow)} AND ${tag} = ${quoted(keyword(`exception:${identity}`))} AND ${tag} = ${quoted(keyword(`rule:${rule}`))}`;
      const count = async (more: string): Promise<number> => (await client.workflow.count(`${like} AND ${more}`)).count;
      if ((await count("ExecutionStatus = 'Running'")) > 0) return 'open';
      return (await count(`CloseTime > ${quoted(since.toISOString())}`)) > 0 ? 'closed' : undefined;
    },
  };

  async function answered<T>(identity: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await client.withDeadline(Date.now() + answerMs, ask);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError)
        throw new TenureError('InvalidRequest', `no identity is named ${identity}; see: tenure list`);
      throw new TenureError('TargetUnavailable', `${identity} does not answer; is a worker running? tenure doctor`);
    }
  }
}
