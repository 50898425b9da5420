/** Identities and processes as Temporal's visibility lists them. Needs no worker; may be a moment behind. */
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { identityId, identityWorkflow, parseProcessId } from '../domain/wire.js';
import { searchAttributes } from '../temporal/search-attributes.js';
import { quoted } from '../temporal/visibility-query.js';

export interface ListedIdentity {
  readonly name: string;
  readonly kind: string;
  readonly owner: string;
  readonly target: string;
  readonly environment: string;
  readonly status: string;
  readonly tags: readonly string[];
  /** ISO 8601. */
  readonly nextRotationAt: string | null;
}

export interface ListedProcess {
  readonly operation: string;
  readonly identity: string;
  readonly kind: string;
  readonly status: string;
  readonly stage: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
}

export interface Filter {
  readonly kind?: string;
  readonly owner?: string;
  readonly target?: string;
  readonly environment?: string;
  readonly status?: string;
  readonly tag?: string;
  /** The next rotation should have been by now; what is revoked or offboarded is due for none. */
  readonly overdue?: boolean;
}

/** The identities that match, by name. Each is listed once, by its latest run. */
export async function listIdentities(client: Client, filter: Filter = {}): Promise<ListedIdentity[]> {
  return identitiesIn(client, conditions(filter));
}

/** One identity; `undefined` when nobody knows it. */
export async function listedIdentity(client: Client, name: string): Promise<ListedIdentity | undefined> {
  return (await identitiesIn(client, [`WorkflowId = ${quoted(identityId(name))}`]))[0];
}

async function identitiesIn(client: Client, wanted: readonly string[]): Promise<ListedIdentity[]> {
  const found = new Map<string, ListedIdentity>();
  const query = [`WorkflowType = ${quoted(identityWorkflow)}`, ...wanted].join(' AND ');
  for await (const info of client.workflow.list({ query })) {
    const isLatest = info.status.name !== 'CONTINUED_AS_NEW';
    const name = info.workflowId.replace(/^nhi\//, '');
    if (isLatest && !found.has(name)) found.set(name, identityOf(name, info));
  }
  return [...found.values()].toSorted((one, other) => one.name.localeCompare(other.name));
}

/** Processes that are parked, oldest first. */
export async function listParked(client: Client): Promise<ListedProcess[]> {
  return listProcesses(client, `NhiStatus = 'needs-operator' AND ExecutionStatus = 'Running'`);
}

/** Processes that wait for an approval, oldest first. */
export async function listGates(client: Client): Promise<ListedProcess[]> {
  return listProcesses(client, `NhiGate = 'open' AND ExecutionStatus = 'Running'`);
}

/** Processes of one kind that run now, oldest first. */
export async function listProcessesRunning(client: Client, kind: string): Promise<ListedProcess[]> {
  return listProcesses(client, `WorkflowType = ${quoted(kind)} AND ExecutionStatus = 'Running'`);
}

/** All processes of an identity, oldest first. */
export async function processesOf(client: Client, name: string): Promise<ListedProcess[]> {
  return listProcesses(client, `WorkflowId STARTS_WITH ${quoted(`nhi/${name}/`)}`);
}

async function listProcesses(client: Client, query: string): Promise<ListedProcess[]> {
  const found: ListedProcess[] = [];
  for await (const info of client.workflow.list({ query })) {
    const process = processIn(info);
    if (process) found.push(process);
  }
  return found.toSorted((one, other) => one.startedAt.localeCompare(other.startedAt));
}

function processIn(info: WorkflowExecutionInfo): ListedProcess | undefined {
  const parsed = parseProcessId(info.workflowId);
  if (!parsed) return undefined;
  return {
    operation: info.workflowId,
    identity: parsed.name,
    kind: parsed.kind,
    status: info.typedSearchAttributes.get(searchAttributes.status) ?? info.status.name.toLowerCase(),
    stage: info.typedSearchAttributes.get(searchAttributes.stage) ?? '',
    startedAt: info.startTime.toISOString(),
    endedAt: info.closeTime?.toISOString() ?? null,
  };
}

function identityOf(name: string, info: WorkflowExecutionInfo): ListedIdentity {
  const known = info.typedSearchAttributes;
  return {
    name,
    kind: known.get(searchAttributes.kind) ?? '',
    owner: known.get(searchAttributes.owner) ?? '',
    target: known.get(searchAttributes.target) ?? '',
    environment: known.get(searchAttributes.environment) ?? '',
    status: known.get(searchAttributes.status) ?? 'absent',
    tags: known.get(searchAttributes.tags) ?? [],
    nextRotationAt: known.get(searchAttributes.nextRotation)?.toISOString() ?? null,
  };
}

function conditions(filter: Filter): string[] {
  const { kind, owner, target, environment, status, tag } = searchAttributeNames;
  const wanted: readonly (readonly [string, string | undefined])[] = [
    [kind, filter.kind],
    [owner, filter.owner],
    [target, filter.target],
    [environment, filter.environment],
    [status, filter.status],
    [tag, filter.tag],
  ];
  return [
    ...wanted.flatMap(([attribute, value]) => (value === undefined ? [] : [`${attribute} = ${quoted(value)}`])),
    ...(filter.overdue ? overdue(new Date()) : []),
  ];
}

function overdue(now: Date): string[] {
  const { status, nextRotation } = searchAttributes;
  return [
    `ExecutionStatus = 'Running'`,
    `${status.name} IN ('active', 'needs-operator')`,
    `${nextRotation.name} < ${quoted(now.toISOString())}`,
  ];
}

const searchAttributeNames = {
  kind: searchAttributes.kind.name,
  owner: searchAttributes.owner.name,
  target: searchAttributes.target.name,
  environment: searchAttributes.environment.name,
  status: searchAttributes.status.name,
  tag: searchAttributes.tags.name,
};
