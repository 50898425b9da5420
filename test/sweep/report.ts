/** What a sweep found: the matrix as people read it, and `test-output/sweep.json`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/package-root.js';
import type { CaseReport } from './case.js';

const folder = join(packageRoot, 'test-output');

/** Broken cases in words: process, stage, step, fault, operation, and each broken invariant. */
export function brokenOf(reports: readonly CaseReport[]): string[] {
  return reports
    .filter(({ broken }) => broken.length > 0)
    .map(({ title, operation, identity, broken }) => `${title} (${operation || identity}): ${broken.join('; ')}`);
}

/** One row for each step, one column for each fault: `ok`, or what broke. */
export function matrixOf(reports: readonly CaseReport[]): string {
  const faults = [...new Set(reports.map(({ fault }) => fault))];
  const rows = [...new Set(reports.map(rowOf))];
  const width = Math.max(...rows.map((row) => row.length));
  const lines = rows.map((row) => {
    const cells = faults.map((fault) => {
      const cell = reports.filter((report) => rowOf(report) === row && report.fault === fault);
      return resultOf(cell).padEnd(fault.length);
    });
    return `${row.padEnd(width)}  ${cells.join('  ')}`.trimEnd();
  });
  const broken = reports.filter((report) => report.broken.length > 0).length;
  const logins = reports.reduce((sum, report) => sum + report.logins, 0);
  return [
    `${''.padEnd(width)}  ${faults.join('  ')}`,
    ...lines,
    `${reports.length} cases, ${broken} broken; ${logins} logins with what the store called current`,
  ].join('\n');
}

/** Keeps the reports of one part in `test-output/<part>.json`, beside those of earlier calls. */
export function keep(part: string, reports: readonly CaseReport[]): void {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${part}.json`);
  const others = (readKept(file) ?? []).filter(({ title }) => !reports.some((report) => report.title === title));
  writeFileSync(file, `${JSON.stringify([...others, ...reports], undefined, 1)}\n`);
}

function readKept(file: string): CaseReport[] | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as CaseReport[];
  } catch {
    return undefined;
  }
}

function rowOf({ process, stage, step, title }: CaseReport): string {
  const nth = /#\d/.exec(title)?.[0] ?? '';
  return `${process} / ${stage} / ${step} ${nth}`.trimEnd();
}

function resultOf(cell: readonly CaseReport[]): string {
  if (cell.length === 0) return '';
  const broken = cell.flatMap((report) => report.broken);
  return broken.length === 0 ? 'ok' : [...new Set(broken.map((what) => what.split(':')[0]!))].join(',');
}
