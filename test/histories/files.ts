/** Recorded histories: one folder for each released version, one file for each history, free of secrets and of the machine. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { packageRoot } from '../../src/package-root.js';

/** What the replayer of the SDK takes, with where it came from. */
export interface Recorded {
  /** `<version>/<file>`. */
  readonly title: string;
  readonly workflowId: string;
  readonly history: History;
}

const folder = path.join(packageRoot, 'test', 'histories');

/** Every history that was ever recorded. */
export function recordedHistories(): Recorded[] {
  const versions = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return versions.flatMap(({ name: version }) =>
    readdirSync(path.join(folder, version)).map((file) => {
      const text = readFileSync(path.join(folder, version, file), 'utf8');
      const { workflowId, history } = JSON.parse(text) as { workflowId: string; history: unknown };
      return { title: `${version}/${file}`, workflowId, history: historyFromJSON(history) };
    }),
  );
}

/** Writes one history, as `<version>/<title>.json`. */
export function keepHistory(version: string, title: string, workflowId: string, history: History): void {
  const scrubbed: unknown = scrub(JSON.parse(historyToJSON(history)));
  mkdirSync(path.join(folder, version), { recursive: true });
  writeFileSync(path.join(folder, version, `${title}.json`), `${JSON.stringify({ workflowId, history: scrubbed })}\n`);
}

/** Who ran it and where is nobody's business, and no matter for a replay. Payloads are left alone: they are part of what happened. */
function scrub(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(scrub);
  if (typeof value !== 'object' || value === null) return value;
  if ('kind' in value && value.kind === 'TASK_QUEUE_KIND_STICKY') return { ...value, name: 'sticky' };
  return Object.fromEntries(
    Object.entries(value).map(([key, held]): [string, unknown] => {
      if (key === 'payloads') return [key, held];
      if (key === 'identity' && typeof held === 'string') return [key, 'a-worker'];
      if (key === 'stackTrace') return [key, ''];
      return [key, scrub(held)];
    }),
  );
}
