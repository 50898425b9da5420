/** The end of the demo: what was measured, as tables, and where to look further. */
import { span } from '../src/domain/span.js';
import type { Claims } from './claims.js';
import type { PhaseFigures } from './messages.js';
import type { Scene } from './scene.js';
import type { Exported } from './temporal.js';
import type { Terminal } from './terminal.js';

/** Phases in which the client has no credential for some of the time. */
const mustFail = ['revoked', 'without a credential'];

export function tellReport(scene: Scene, exported: readonly Exported[]): void {
  const { terminal, claims } = scene.props;
  terminal.say();
  terminal.say(terminal.paint.bold('What was measured'));
  terminal.say();
  const phases = scene.figures.filter(({ requests }) => requests > 0);
  tell(
    terminal,
    ['REQUESTS OF THE CLIENT', 'SENT', 'FAILED', 'PER SECOND', 'P50', 'P99'],
    [...phases.map(rowOf), total(phases)],
  );
  if (phases.every(({ phase, failed }) => failed === 0 || mustFail.includes(phase)))
    terminal.say(terminal.paint.dim('  (what failed came after the revocation, and has to fail)'));
  terminal.say();
  tell(
    terminal,
    ['PROCESS', 'OUTCOME', 'TOOK', 'EVENTS'],
    exported.map(({ workflowId, outcome, took, events }) => [
      workflowId,
      outcome,
      took === undefined ? '-' : span(took),
      String(events),
    ]),
  );
  terminal.say();
  tell(terminal, ['TIMES', ''], scene.measured);
  terminal.say();
  tellVerdict(terminal, claims);
}

function tellVerdict(terminal: Terminal, claims: Claims): void {
  const { green, red, yellow } = terminal.paint;
  const held = claims.all.filter(({ state }) => state === 'held').length;
  const verdict = `${held} of ${claims.all.length} claims were checked and held`;
  terminal.say(claims.checkedHeld ? green(verdict) : red(verdict));
  for (const { title, state, seen } of claims.all) {
    if (state === 'failed') terminal.say(red(`  failed: ${title}`));
    if (state === 'not shown') terminal.say(yellow(`  not shown: ${title} (${seen})`));
  }
}

function rowOf({ phase, requests, failed, seconds, p50, p99 }: PhaseFigures): string[] {
  const latency = (ms: number) => (requests === failed ? '-' : `${Math.round(ms)} ms`);
  return [phase, String(requests), String(failed), (requests / seconds).toFixed(1), latency(p50), latency(p99)];
}

function total(phases: readonly PhaseFigures[]): string[] {
  const sum = (of: (figures: PhaseFigures) => number) => phases.reduce((all, figures) => all + of(figures), 0);
  const requests = sum((figures) => figures.requests);
  const perSecond = (requests / sum(({ seconds }) => seconds)).toFixed(1);
  return ['all', String(requests), String(sum(({ failed }) => failed)), perSecond, '', ''];
}

function tell(terminal: Terminal, headings: readonly string[], rows: readonly (readonly string[])[]): void {
  const all = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const isNumber = (column: number) => column > 0 && headings.length > 2;
  all.forEach((row, index) => {
    const cells = row.map((cell, column) =>
      isNumber(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
    );
    const line = `  ${cells.join('  ').trimEnd()}`;
    terminal.say(index === 0 ? terminal.paint.dim(line) : line);
  });
}
