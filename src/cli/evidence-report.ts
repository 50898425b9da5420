/** `tenure evidence report`: what the records show for the controls of a framework. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { openEvidence } from '../evidence/open.js';
import { frameworks, type FrameworkName } from '../evidence/read/frameworks.js';
import { oscalOf } from '../evidence/read/oscal.js';
import { reportLines, reportMarkdown } from '../evidence/read/report-words.js';
import { reportOn, type Report } from '../evidence/read/report.js';
import { usage } from './errors.js';
import { verb, type CommonOptions, type Runtime } from './session.js';

interface ReportOptions extends CommonOptions {
  readonly framework: FrameworkName;
  readonly since?: string;
  readonly until?: string;
  readonly format?: 'text' | 'json' | 'markdown' | 'oscal';
}

/** Adds the verb under `tenure evidence`. */
export function addReport(evidence: Command, runtime: Runtime): void {
  const command = evidence
    .command('report')
    .description('which records show that the controls of a framework operated, which do not, and what nothing shows')
    .addOption(
      new Option('--framework <name>', 'of which framework').choices(Object.keys(frameworks)).makeOptionMandatory(),
    )
    .option(
      '--since <instant>',
      'processes that ended from then on, e.g. 2026-01-01 or 2026-01-01T09:00:00Z',
      instantOption,
    )
    .option('--until <instant>', 'and until then; a day alone means its beginning, in UTC', instantOption)
    .addOption(new Option('--format <form>', 'how it is written').choices(['text', 'json', 'markdown', 'oscal']))
    .addHelpText(
      'after',
      '\nThe same records give the same report, byte for byte; oscal gives OSCAL assessment results.\n\nExamples:\n  tenure evidence report --framework csf2 --since 2026-01-01\n  tenure evidence report --framework 800-53 --format oscal > assessment-results.json',
    );
  verb<ReportOptions>(runtime, command, async ({ io, out, services }, options) => {
    const { since, until, framework } = options;
    if (since !== undefined && until !== undefined && since > until) throw usage('--since is after --until');
    const all = await openEvidence(await services.config()).under();
    const records = all.flatMap(({ kind, record, digest }) => (kind === 'process' ? [{ record, digest }] : []));
    const beside = all.flatMap((any) => (any.kind === 'process' ? [] : [any]));
    const report = reportOn(framework, records, { ...(since && { since }), ...(until && { until }) }, beside);
    const format = options.format ?? 'text';
    if (options.json && format === 'text') out.answer({ report });
    else io.stdout.write(written(report, format));
    if (all.length === 0) out.note('the evidence log is empty, so everything is a gap');
  });
}

function written(report: Report, format: NonNullable<ReportOptions['format']>): string {
  switch (format) {
    case 'text':
      return `${reportLines(report).join('\n')}\n`;
    case 'markdown':
      return reportMarkdown(report);
    case 'json':
      return `${JSON.stringify({ v: 1, report }, null, 2)}\n`;
    case 'oscal':
      return `${JSON.stringify(oscalOf(report), null, 2)}\n`;
    default:
      return format satisfies never;
  }
}

/** An instant in UTC, as records have them. */
export function instantOption(text: string): string {
  const isWhole = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2}))?$/.test(text);
  const ms = isWhole ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms))
    throw new InvalidArgumentError(
      'expected a day or an instant with its zone, such as 2026-01-01 or 2026-01-01T09:00:00Z',
    );
  return new Date(ms).toISOString();
}
