/** What reads and writes payloads, as the operator's file says: for clients, for workers, and for their workflows. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataConverter } from '@temporalio/common';
import type { WorkflowBundleOption } from '@temporalio/worker';
import type { TenureConfig } from '../../config/types.js';
import { packageRoot } from '../../package-root.js';
import { payloadCodec } from './aes-gcm.js';
import { readCodecKey, type KeyRing } from './key.js';

type Encryption = Pick<TenureConfig, 'encryption'>;

/** The SDK loads it with `require`, which takes no source of ours. */
const failureConverterPath = join(packageRoot, 'bin', 'failure-converter.cjs');

/**
 * For `dataConverter` of a client or a worker; with nothing in it where the operator's file has no keys.
 *
 * @throws TenureError `InvalidRequest` when a key is not there or is none.
 */
export async function dataConverterFor(config: Encryption): Promise<DataConverter> {
  const { encryption } = config;
  if (!encryption) return {};
  const ring = await keyRingOf(encryption);
  return { payloadCodecs: [payloadCodec(ring)], ...(ring.current !== undefined && { failureConverterPath }) };
}

/** Reads every key. */
export async function keyRingOf({ keys, current }: NonNullable<TenureConfig['encryption']>): Promise<KeyRing> {
  const read = await Promise.all(keys.map(async ({ id, key }) => [id, await readCodecKey(key, id)] as const));
  return { keys: new Map(read), ...(current !== undefined && { current }) };
}

/** For `workflowBundle` of a worker: the bundle as it is, or told to write failures as payloads. */
export async function workflowBundleFor({ encryption }: Encryption, codePath: string): Promise<WorkflowBundleOption> {
  if (encryption?.current === undefined) return { codePath };
  return { code: encodingFailures(await readFile(codePath, 'utf8')) };
}

/** The code of a bundle as workers run it where payloads are encrypted. On its first line, so that its source map stays right. */
export function encodingFailures(code: string): string {
  return `var tenureEncodesFailures = true; ${code}`;
}
