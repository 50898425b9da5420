import { InvalidArgumentError, type Command } from 'commander';
import { openEvidence } from '../../evidence/open.js';
import { publishedIn } from '../../exceptions/published.js';
import { ruleNames, severities, type Finding, type ReviewedIdentity, type Severity } from '../../review/finding.js';
import { identitiesIn } from '../../review/identities.js';
import { atLeast, review } from '../../review/review.js';
import { directorySource } from '../../trust/directory-file.js';
import { CliError } from '../errors.js';
import { exitCodes } from '../io.js';
import { verb, type CommonOptions, type Runtime, type Session } from '../session.js';

interface ReviewOptions extends CommonOptions {
  readonly failOn?: Severity;
  readonly rule?: string;
}

export function addReview(program: Command, runtime: Runtime): void {
  const command = program
    .command('review')
    .description('look at the routine: who decides for whom, how fast, unused rights, owners who left, exceptions')
    .option(
      '--fail-on <severity>',
      'exit with 1 where there is a finding of low, medium or high, or above it',
      severity,
    )
    .option('--rule <name>', 'only the findings of this rule', ruleName)
    .addHelpText(
      'after',
      '\nThresholds are under `review` in tenure.yaml. A schedule runs the same and tells the operators.\n\nExamples:\n  tenure review\n  tenure review --fail-on high\n  tenure review --json | jq ".findings[] | select(.severity == \\"high\\")"',
    );
  verb<ReviewOptions>(runtime, command, async (session, { failOn, rule }) => {
    const all = await lookAt(session, failOn !== undefined);
    const findings = rule === undefined ? all : all.filter((finding) => finding.rule === rule);
    session.out.answer({ findings });
    tell(session, findings);
    return failOn !== undefined && atLeast(findings, failOn).length > 0 ? exitCodes.failure : exitCodes.success;
  });
}

function severity(text: string): Severity {
  const found = severities.find((one) => one === text);
  if (!found) throw new InvalidArgumentError(`expected one of ${severities.join(', ')}`);
  return found;
}

function ruleName(text: string): string {
  if (!ruleNames.some((one) => one === text)) throw new InvalidArgumentError(`expected one of ${ruleNames.join(', ')}`);
  return text;
}

async function lookAt(session: Session, mustSeeAll: boolean): Promise<Finding[]> {
  const config = await session.services.config();
  const reader = openEvidence(config);
  const [records, directory, exceptions] = await Promise.all([
    reader.all(),
    directorySource(config).current(),
    publishedIn(config.stateDirectory).all(),
  ]);
  const identities = await identitiesOf(session, mustSeeAll);
  return review({ records, directory, identities, exceptions, now: new Date() }, config.review);
}

/**
 * Without Temporal nobody knows which identities there are; the rest can be looked at, and that is said. A pipeline must not pass for what
 * could not be looked at.
 */
async function identitiesOf({ services, out }: Session, mustSeeAll: boolean): Promise<ReviewedIdentity[]> {
  try {
    return await identitiesIn(await services.client());
  } catch (error) {
    if (mustSeeAll || !(error instanceof CliError) || error.code !== 'NoTemporal') throw error;
    out.note('Temporal does not answer: owners of identities were not looked at');
    return [];
  }
}

function tell({ out }: Session, findings: readonly Finding[]): void {
  if (findings.length === 0) return out.say('nothing is worth a second look');
  const paints = { high: out.paint.red, medium: out.paint.yellow, low: out.paint.dim };
  for (const { severity: weight, rule, what, evidence, controls, next } of findings) {
    out.say(`${paints[weight](weight)} ${out.paint.bold(rule)}: ${what}`);
    if (evidence.length > 0) out.say(`  evidence: ${shown(evidence)}`);
    out.say(`  controls: ${controls.join(', ')}`);
    out.say(`  next: ${next}`);
  }
}

function shown(evidence: readonly string[]): string {
  const left = evidence.length - mostShown;
  return `${evidence.slice(0, mostShown).join(', ')}${left > 0 ? ` and ${left} more (--json has all)` : ''}`;
}

const mostShown = 6;
