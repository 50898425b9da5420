/** The routine review: every rule over everything, the weightiest findings first. Pure. */
import { copiedReasons } from './reasons.js';
import { exceptionsDue } from './expiring.js';
import { frequentElevations } from './elevations.js';
import { severities, type Finding, type Reviewed, type Rule, type Severity } from './finding.js';
import { splitGrowth } from './growth.js';
import { outsideHours } from './hours.js';
import { approverLoad } from './load.js';
import type { ReviewSettings } from './options.js';
import { ownersLeft } from './owners.js';
import { quickDecisions } from './quick.js';
import { reciprocal } from './reciprocal.js';
import { samePair } from './same-pair.js';
import { unrefused } from './unrefused.js';
import { unusedEntitlements } from './unused.js';

const rules: readonly Rule[] = [
  samePair,
  reciprocal,
  quickDecisions,
  approverLoad,
  unrefused,
  outsideHours,
  splitGrowth,
  unusedEntitlements,
  ownersLeft,
  exceptionsDue,
  copiedReasons,
  frequentElevations,
];

/** What is worth a second look. */
export function review(reviewed: Reviewed, settings: ReviewSettings): Finding[] {
  return rules
    .flatMap((rule) => rule(reviewed, settings))
    .toSorted(
      (one, other) =>
        severities.indexOf(other.severity) - severities.indexOf(one.severity) ||
        one.rule.localeCompare(other.rule) ||
        one.subject.localeCompare(other.subject),
    );
}

/** Those of this severity or above it. */
export function atLeast(findings: readonly Finding[], severity: Severity): Finding[] {
  return findings.filter((finding) => severities.indexOf(finding.severity) >= severities.indexOf(severity));
}
