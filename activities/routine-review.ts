/** The routine review as a schedule runs it: the same rules as `tenure review`. */
import type { Client } from '@temporalio/client';
import type { Directory } from '../src/domain/directory.js';
import type { RoutineReviewActivities } from '../src/domain/routine-review.js';
import { clip } from '../src/domain/clip.js';
import type { EvidenceReader } from '../src/evidence/reader.js';
import type { Published } from '../src/exceptions/published.js';
import type { Finding } from '../src/review/finding.js';
import { identitiesIn } from '../src/review/identities.js';
import type { ReviewSettings } from '../src/review/options.js';
import { review } from '../src/review/review.js';
import type { RoutineFound } from './evidence/routine.js';

export interface RoutineReviewDependencies {
  readonly client: Client;
  readonly evidence: Pick<EvidenceReader, 'all'>;
  readonly published: Pick<Published, 'all'>;
  loadDirectory(): Promise<Directory>;
  readonly settings: ReviewSettings;
  /** Keeps what was found in the log of evidence, once for each run, and gives what is kept. */
  keep(found: RoutineFound): Promise<RoutineFound>;
  readonly now?: () => Date;
}

/** So many are told one by one. */
const mostLines = 50;

export function createRoutineReviewActivities(deps: RoutineReviewDependencies): RoutineReviewActivities {
  const { client, evidence, published, loadDirectory, settings, keep, now = () => new Date() } = deps;
  return {
    async lookAtRoutine() {
      const [records, directory, identities, exceptions] = await Promise.all([
        evidence.all(),
        loadDirectory(),
        identitiesIn(client),
        published.all(),
      ]);
      const at = now();
      const { findings } = await keep({
        at: at.toISOString(),
        lookedAt: { records: records.length, identities: identities.length, exceptions: exceptions.length },
        findings: review({ records, directory, identities, exceptions, now: at }, settings),
      });
      const many = (severity: Finding['severity']): number =>
        findings.filter((one) => one.severity === severity).length;
      return {
        counts: { high: many('high'), medium: many('medium'), low: many('low') },
        lines: findings.slice(0, mostLines).map(lineOf),
        more: Math.max(0, findings.length - mostLines),
      };
    },
  };
}

type Told = Pick<Finding, 'severity' | 'subject' | 'what' | 'next'> & { readonly rule: string };

function lineOf({ severity, subject, rule, what, next }: Told) {
  return { severity, subject: clip(subject, 200), text: clip(`${rule}: ${what}; next: ${next}`, 600) };
}
