/** The processes of an identity are numbered, so that a record that is not there leaves a gap. */
import { parseProcessId } from '../../domain/wire.js';
import { broken, held, unknown, type Check } from './check.js';
import type { LogUnderTest } from './log-checks.js';
import type { EntryUnderTest } from './record-checks.js';

/** One check for each identity, where the export says that it holds all of its records. */
export function checkNumbering({ manifest }: LogUnderTest, entries: readonly EntryUnderTest[]): Check[] {
  if (!manifest || manifest.selection.operation !== undefined || manifest.selection.since !== undefined) return [];
  const isWholeLog = manifest.selection.identity === undefined;
  const numbers = new Map<string, number[]>();
  for (const { any } of entries) {
    const process = any?.kind === 'process' ? parseProcessId(any.record.operation) : undefined;
    if (process) numbers.set(process.name, [...(numbers.get(process.name) ?? []), process.number]);
  }
  return [...numbers].map(([name, known]) => ({
    subject: 'log',
    check: `numbers of ${name}`,
    ...gapsIn(known, isWholeLog),
  }));
}

function gapsIn(known: readonly number[], isWholeLog: boolean): Pick<Check, 'verdict' | 'detail'> {
  const last = Math.max(...known);
  const gaps = Array.from({ length: last }, (_, at) => at + 1).filter((number) => !known.includes(number));
  if (gaps.length === 0) return held(`1 to ${last}, none left out`);
  const missing = `process ${gaps.join(', ')} left no record here`;
  return isWholeLog
    ? unknown(`${missing}: the log is whole, so it was ended by hand and never sealed`)
    : broken(`${missing}: taken out, or ended by hand and never sealed; an export with --all tells which`);
}
