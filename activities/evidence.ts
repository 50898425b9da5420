/**
 * One evidence record for each process, as a file that outlives Temporal's retention: `<state>/evidence/<operation>.json`. The record is
 * canonical JSON (RFC 8785), so its SHA-256 is the same wherever it is computed.
 */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { canonicalJson } from '../src/canonical-json.js';
import { TenureError } from '../src/domain/errors.js';
import { replaceFile } from '../src/files/durable.js';
import type { RecordActivities } from './contract.js';

/** Makes the `seal` activity; `directory` is made when it is not there. */
export function createEvidenceActivities(directory: string): Pick<RecordActivities, 'seal'> {
  return {
    async seal({ state, result }) {
      const { plan, decision, gate, stages } = state;
      const text = canonicalJson({
        v: 1,
        type: 'tenure/process',
        ...result,
        plan,
        decision,
        gate,
        stages: settled(stages),
      });
      const file = join(directory, `${result.operation}.json`);
      try {
        await mkdir(dirname(file), { recursive: true, mode: 0o700 });
        await replaceFile(file, text);
      } catch (error) {
        throw new TenureError(
          'StoreUnavailable',
          `the evidence record ${file} could not be written (${(error as NodeJS.ErrnoException).code}); make the folder writable`,
        );
      }
      return { evidence: `sha256:${createHash('sha256').update(text).digest('hex')}` };
    },
  };
}

/** The seal stage itself is still running while the record is written. */
function settled(stages: readonly { readonly name: string }[]): readonly unknown[] {
  return stages.filter(({ name }) => name !== 'seal');
}
