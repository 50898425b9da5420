/** Tells operators what happened: a line in the log and, where one is configured, a webhook. Best effort. */
import type { Logger } from 'pino';
import type { SecretSource } from '../src/config/types.js';
import { oneLine, within } from '../src/consumers/consumer.js';
import { messageId, send, signerOf, type Signer } from '../src/consumers/webhook.js';
import { TenureError } from '../src/domain/errors.js';
import { readSecret } from '../src/stores/secret-source.js';
import type { RecordActivities } from './contract.js';

export interface NoticeDependencies {
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Address of a receiver of Standard Webhooks. */
  readonly webhook?: string;
  /** Signs the webhook where there is one. */
  readonly signingKey?: SecretSource;
}

/** A notice must not hold a process up for longer than this, milliseconds. */
const timeoutMs = 5_000;
const longestText = 500;

const logLevels = { info: 'info', warning: 'warn', alert: 'error' } as const;

export function createNoticeActivities(deps: NoticeDependencies): Pick<RecordActivities, 'notify'> {
  return {
    async notify({ identity, operation, level, text }) {
      const notice = { identity, operation, level, text: oneLine(text, longestText) };
      deps.log[logLevels[level]]({ identity, operation, notice: level }, notice.text);
      const problem = deps.webhook && (await post(deps, deps.webhook, notice));
      if (problem) deps.log.warn({ identity, operation }, `the webhook for notices: ${problem}`);
    },
  };
}

async function post(
  deps: NoticeDependencies,
  webhook: string,
  notice: { readonly identity: string; readonly operation: string; readonly level: string; readonly text: string },
): Promise<string | undefined> {
  const { operation, level, text } = notice;
  const id = messageId('notice', operation, level, text);
  const message = { id, type: 'tenure.notice', timestamp: new Date().toISOString(), data: notice };
  try {
    const signer = await signerFrom(deps.signingKey);
    const reply = await within(timeoutMs, undefined, (signal) => send(webhook, message, signer, { timeoutMs, signal }));
    if ('failure' in reply) return reply.failure;
    return reply.status >= 200 && reply.status < 300 ? undefined : `answered ${reply.status}`;
  } catch (error) {
    return error instanceof TenureError ? error.message : 'an unforeseen error';
  }
}

async function signerFrom(source: SecretSource | undefined): Promise<Signer | undefined> {
  return source && signerOf(await readSecret(source, 'the signing key of consumers'));
}
