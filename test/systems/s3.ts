/** An S3 server with object lock for tests: moto, the one on the PATH, or one that is installed for this repository alone. */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { packageRoot } from '../../src/package-root.js';
import type { S3Options } from '../../src/evidence/options.js';

const run = promisify(execFile);

export interface S3Server {
  readonly endpoint: string;
  readonly client: S3Client;
  /** A new bucket with object lock. */
  bucket(name: string): Promise<S3Options>;
  stop(): void;
}

/** Starts it, or says why it cannot be had here. Credentials are in the variables that the SDK looks for. */
export async function startS3(): Promise<S3Server | { readonly unavailable: string }> {
  const program = await motoServer();
  if (program === undefined)
    return { unavailable: 'moto (an S3 server) is not here, and python3 with pip cannot install it' };
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
  const port = await freePort();
  const child = spawn(program, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  const endpoint = `http://127.0.0.1:${port}`;
  const region = 'eu-central-1';
  const client = new S3Client({ region, endpoint, forcePathStyle: true });
  const stop = (): void => {
    client.destroy();
    child.kill('SIGKILL');
  };
  try {
    await answers(endpoint, () => child.exitCode !== null);
  } catch (error) {
    stop();
    throw error;
  }
  return {
    endpoint,
    client,
    stop,
    async bucket(Bucket) {
      await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
      return { bucket: Bucket, region, endpoint, prefix: 'evidence/', retentionDays: 30 };
    },
  };
}

const version = '5.2.1';

async function motoServer(): Promise<string | undefined> {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'moto_server'));
  const own = join(packageRoot, 'node_modules', '.cache', `moto-${version}`);
  const found = [...onPath, join(own, 'bin', 'moto_server')].find(existsSync);
  if (found !== undefined) return found;
  try {
    await mkdir(join(own, '..'), { recursive: true });
    await run('python3', ['-m', 'venv', own]);
    await run(join(own, 'bin', 'pip'), ['install', '--quiet', `moto[server,s3]==${version}`], { timeout: 240_000 });
    return join(own, 'bin', 'moto_server');
  } catch {
    return undefined;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(endpoint: string, isOver: () => boolean): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end && !isOver();) {
    if (await fetch(endpoint).then(Boolean, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('moto did not start');
}
