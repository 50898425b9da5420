/** Every identity with its owner, as Temporal's visibility lists them. Needs no worker; may be a moment behind. */
import type { Client } from '@temporalio/client';
import { identityId, identityWorkflow } from '../domain/wire.js';
import { searchAttributes } from '../temporal/search-attributes.js';
import { quoted } from '../temporal/visibility-query.js';
import type { ReviewedIdentity } from './finding.js';

export async function identitiesIn(client: Client): Promise<ReviewedIdentity[]> {
  const found: ReviewedIdentity[] = [];
  const query = `WorkflowType = ${quoted(identityWorkflow)} AND ExecutionStatus = 'Running'`;
  for await (const { workflowId, typedSearchAttributes: known } of client.workflow.list({ query })) {
    found.push({
      name: workflowId.slice(identityId('').length),
      owner: known.get(searchAttributes.owner) ?? '',
      status: known.get(searchAttributes.status) ?? 'absent',
    });
  }
  return found.toSorted((one, other) => one.name.localeCompare(other.name));
}
