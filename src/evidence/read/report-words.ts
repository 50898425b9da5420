/** A report for people: on a terminal, and as Markdown. Pure. */
import { count, instant } from '../../cli/words.js';
import type { ControlReport, ObservationReport, Report, Shown } from './report.js';

/** As many records as are named under an observation; the others are counted. */
const named = 5;

/** The report as plain lines. */
export function reportLines(report: Report): string[] {
  return [heading(report), '', ...report.controls.flatMap((control) => [...controlLines(control), '']), report.says];
}

function heading({ name, version, period, records }: Report): string {
  return `${name} ${version}, ${instant(period.from)} to ${instant(period.to)}: ${count(records.length, 'record')}`;
}

function controlLines({ id, title, operated, failed, observations, gaps }: ControlReport): string[] {
  return [
    `${id}  ${title}`,
    `  operated ${operated}, did not ${failed}`,
    ...observations.flatMap((one) => observationLines(one)),
    ...gaps.map((gap) => `  gap: ${gap}`),
  ];
}

function observationLines({ that, operated, failed }: ObservationReport): string[] {
  if (operated.length + failed.length === 0) return [];
  return [
    `  evidence that ${that}: ${count(operated.length, 'record')}`,
    ...failed.map((record) => `    did not: ${shown(record)}`),
    ...operated.slice(-named).map((record) => `    ${shown(record)}`),
    ...(operated.length > named ? [`    and ${operated.length - named} before; --format json names them all`] : []),
  ];
}

function shown({ operation, at, what }: Shown): string {
  return `${instant(at)}  ${operation}: ${what}`;
}

/** The report as Markdown. What comes from records is written as code, so that nothing in it is taken for markup. */
export function reportMarkdown(report: Report): string {
  const rows = report.controls.map(
    ({ id, title, operated, failed, gaps }) => `| ${id} | ${title} | ${operated} | ${failed} | ${gaps.length} |`,
  );
  return [
    `# Evidence for ${report.name} ${report.version}`,
    '',
    `${instant(report.period.from)} to ${instant(report.period.to)}, ${count(report.records.length, 'record')}. ${report.says}`,
    '',
    '| control | asks for | operated | did not | gaps |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    ...report.controls.flatMap(controlMarkdown),
    '',
  ].join('\n');
}

function controlMarkdown({ id, title, observations, gaps }: ControlReport): string[] {
  const seen = observations.filter(({ operated, failed }) => operated.length + failed.length > 0);
  return [
    '',
    `## ${id} ${title}`,
    ...seen.flatMap(({ that, operated, failed }) => [
      '',
      `Evidence that ${that}: ${count(operated.length, 'record')}.`,
      '',
      ...failed.map((record) => `- did not: ${code(record)}`),
      ...operated.map((record) => `- ${code(record)}`),
    ]),
    '',
    ...gaps.map((gap) => `- Gap: ${gap}`),
  ];
}

function code({ operation, at, what }: Shown): string {
  return `\`${`${instant(at)} ${operation}: ${what}`.replaceAll('`', "'").replaceAll(/\s+/g, ' ')}\``;
}
