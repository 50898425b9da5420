/** What a review works on and what it gives. Pure. */
import type { Directory } from '../domain/directory.js';
import type { ProcessRecord } from '../domain/evidence.js';
import type { ExceptionRecord } from '../domain/exception.js';
import type { ReviewSettings } from './options.js';

export const severities = ['low', 'medium', 'high'] as const;
export type Severity = (typeof severities)[number];

/** What findings are called, sorted. */
export const ruleNames = [
  'approver-load',
  'copied-reason',
  'exception-near-expiry',
  'exception-renewed',
  'exception-suspended',
  'exception-unchecked',
  'frequent-elevations',
  'generic-reason',
  'never-refuses',
  'outside-hours',
  'owner-left',
  'quick-decisions',
  'reciprocal',
  'same-pair',
  'split-growth',
  'unused-entitlements',
] as const;

export type RuleName = (typeof ruleNames)[number];

/** An identity as it stands. */
export interface ReviewedIdentity {
  readonly name: string;
  readonly owner: string;
  readonly status: string;
}

/** Everything that a review looks at. */
export interface Reviewed {
  /** Of every process, oldest first. */
  readonly records: readonly ProcessRecord[];
  readonly directory: Directory;
  readonly identities: readonly ReviewedIdentity[];
  readonly exceptions: readonly ExceptionRecord[];
  readonly now: Date;
}

/** Something that is worth a second look. It proves nothing alone. */
export interface Finding {
  readonly rule: RuleName;
  readonly severity: Severity;
  /** Who or what it is about. */
  readonly subject: string;
  /** One sentence. */
  readonly what: string;
  /** Operations, or ids of exceptions, that show it. */
  readonly evidence: readonly string[];
  /** Control identifiers. */
  readonly controls: readonly string[];
  /** What to do next. */
  readonly next: string;
}

/** One rule. */
export type Rule = (reviewed: Reviewed, settings: ReviewSettings) => readonly Finding[];
