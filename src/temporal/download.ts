/** The download service that Temporal's own SDKs use for their test servers. */
import { createWriteStream } from 'node:fs';
import { chmod, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { runCommand } from './commands.js';

/** A network that drops packets must not hold anyone up: the service answers its small question at once, or never. */
const answerMs = 5_000;
/** The longest silence in the middle of a download. */
const stallMs = 20_000;

/** What is asked for. */
export interface Download {
  readonly artifact: 'cli' | 'temporal-test-server';
  /** A release such as `v1.5.1`, or what the service recommends to an SDK release. */
  readonly version: { readonly release: string } | { readonly sdkVersion: string };
  /** File that the program becomes. */
  readonly to: string;
  /** The service's address. */
  readonly from: string;
}

/** Fetches a program. Answers why it could not, in a few words. */
export async function download(wanted: Download): Promise<{ readonly miss: string } | undefined> {
  const archive = `${wanted.to}.archive`;
  try {
    const { archiveUrl, fileToExtract } = await askWhere(wanted);
    await fetchTo(archiveUrl, archive);
    await unpack(archive, fileToExtract, wanted.to);
    return undefined;
  } catch (error) {
    return { miss: `the download from ${new URL(wanted.from).host} failed: ${reasonOf(error)}` };
  } finally {
    await rm(archive, { force: true });
  }
}

async function askWhere({ artifact, version, from }: Download): Promise<{ archiveUrl: string; fileToExtract: string }> {
  const windows = process.platform === 'win32';
  const question = new URLSearchParams({
    arch: process.arch === 'x64' ? 'amd64' : process.arch,
    platform: windows ? 'windows' : process.platform,
    format: windows ? 'zip' : 'tar.gz',
    ...('sdkVersion' in version && { 'sdk-name': 'sdk-typescript', 'sdk-version': version.sdkVersion }),
  });
  const name = 'release' in version ? version.release : 'default';
  const response = await fetch(`${from}/${artifact}/${name}?${question}`, { signal: AbortSignal.timeout(answerMs) });
  if (!response.ok) throw new Error(`the service answered ${response.status}`);
  const answer = (await response.json()) as { archiveUrl?: unknown; fileToExtract?: unknown };
  if (typeof answer.archiveUrl !== 'string' || typeof answer.fileToExtract !== 'string')
    throw new Error('the service did not say where the archive is');
  return { archiveUrl: answer.archiveUrl, fileToExtract: answer.fileToExtract };
}

async function fetchTo(url: string, file: string): Promise<void> {
  const stalled = new AbortController();
  const watch = setTimeout(() => stalled.abort(new Error(`no data for ${stallMs / 1_000} s`)), stallMs);
  try {
    const response = await fetch(url, { signal: stalled.signal });
    if (!response.ok || !response.body) throw new Error(`the archive answered ${response.status}`);
    const body = Readable.fromWeb(response.body as ReadableStream).on('data', () => watch.refresh());
    await pipeline(body, createWriteStream(file), { signal: stalled.signal });
  } finally {
    clearTimeout(watch);
  }
}

async function unpack(archive: string, member: string, to: string): Promise<void> {
  const folder = path.dirname(to);
  const { ok, complaint } = await runCommand('tar', ['-xf', archive, '-C', folder, member], { timeoutMs: 60_000 });
  if (!ok) throw new Error(`the archive can't be unpacked: ${complaint}`);
  await rename(path.join(folder, member), to);
  await chmod(to, 0o755);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${answerMs / 1_000} s`;
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  return cause?.code ? `${error.message} (${cause.code})` : error.message;
}
