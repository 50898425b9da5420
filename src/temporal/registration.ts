/** Makes our search attributes known to a namespace. */
import { isGrpcServiceError, type Connection } from '@temporalio/client';
import type { SearchAttributeType } from '@temporalio/common';
import proto from '@temporalio/proto';
import { TenureError } from '../domain/errors.js';
import { searchAttributes } from './search-attributes.js';

const { IndexedValueType } = proto.temporal.api.enums.v1;

/** How each type is called on the command line and on the wire. */
const types: Readonly<Partial<Record<SearchAttributeType, { readonly cli: string; readonly wire: number }>>> = {
  KEYWORD: { cli: 'Keyword', wire: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD },
  KEYWORD_LIST: { cli: 'KeywordList', wire: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST },
  DATETIME: { cli: 'Datetime', wire: IndexedValueType.INDEXED_VALUE_TYPE_DATETIME },
};

/** gRPC status codes that mean "not you" and "not here": Temporal Cloud has no operator service. */
const denied = new Set([7, 12, 16]);

/** A new attribute is usable once the server's cache has seen it, about half a minute at most. */
const patienceMs = 60_000;

/** Our search attributes as `Name=Type`, in the words of Temporal's command line. */
export const searchAttributeFlags: readonly string[] = Object.values(searchAttributes).map(
  ({ name, type }) => `${name}=${typeOf(type).cli}`,
);

/**
 * Creates those of our search attributes that `namespace` does not have, and waits until they can be used. Safe to repeat.
 *
 * @returns the names that were created
 * @throws TenureError `InvalidRequest` when this identity may not do it (the message has the commands), or when one
 *   exists with another type.
 */
export async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<string[]> {
  const present = await registered(connection, namespace);
  const missing = Object.values(searchAttributes).filter(({ name, type }) => {
    const found = present[name];
    if (found === undefined) return true;
    if (found !== typeOf(type).wire)
      throw new TenureError(
        'InvalidRequest',
        `search attribute ${name} of namespace ${namespace} is not a ${typeOf(type).cli}: remove it or use another namespace`,
      );
    return false;
  });
  if (missing.length === 0) return [];
  await asOperator(namespace, missing, () =>
    connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map(({ name, type }) => [name, typeOf(type).wire])),
    }),
  );
  await untilUsable(connection, namespace);
  return missing.map(({ name }) => name);
}

/**
 * Waits until visibility answers a query that names every one of our search attributes.
 *
 * @throws the last refusal when that takes longer than a minute
 */
export async function untilUsable(connection: Connection, namespace: string): Promise<void> {
  const query = Object.values(searchAttributes)
    .map(({ name }) => `${name} IS NULL`)
    .join(' AND ');
  for (const end = Date.now() + patienceMs; ;) {
    try {
      await connection.workflowService.countWorkflowExecutions({ namespace, query });
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function registered(connection: Connection, namespace: string): Promise<Readonly<Record<string, number>>> {
  const all = Object.values(searchAttributes);
  const { customAttributes } = await asOperator(namespace, all, () =>
    connection.operatorService.listSearchAttributes({ namespace }),
  );
  return (customAttributes ?? {}) as Readonly<Record<string, number>>;
}

type Key = (typeof searchAttributes)[keyof typeof searchAttributes];

async function asOperator<T>(namespace: string, wanted: readonly Key[], call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!isGrpcServiceError(error) || !denied.has(error.code)) throw error;
    const commands = wanted.map(
      ({ name, type }) =>
        `\n  temporal operator search-attribute create --namespace ${namespace} --name ${name} --type ${typeOf(type).cli}`,
    );
    throw new TenureError(
      'InvalidRequest',
      `this identity may not manage the search attributes of namespace ${namespace}. Ask whoever may to run:${commands.join('')}` +
        '\n(on Temporal Cloud: the namespace’s settings, or `tcld namespace search-attributes add`)',
    );
  }
}

function typeOf(type: SearchAttributeType): { readonly cli: string; readonly wire: number } {
  const known = types[type];
  if (!known) throw new Error(`search attributes of type ${type} are not used here`);
  return known;
}
