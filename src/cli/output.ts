import Table from 'cli-table3';
import pico from 'picocolors';
import type { Complaint } from './errors.js';
import type { Io } from './io.js';

/**
 * Where a verb's words go: its answer to standard output, asides to standard error. With `--json`, standard output holds
 * exactly one JSON document and no words.
 */
export class Output {
  readonly paint: ReturnType<typeof pico.createColors>;
  /** A terminal that can be redrawn. */
  readonly interactive: boolean;
  #answered = false;

  constructor(
    readonly io: Io,
    readonly asJson: boolean,
  ) {
    const terminal = io.stdout.isTTY === true && io.env['TERM'] !== 'dumb';
    this.interactive = terminal && !asJson && io.env['CI'] === undefined;
    this.paint = pico.createColors(io.env['FORCE_COLOR'] ? true : terminal && !io.env['NO_COLOR']);
  }

  /** A line of the answer; nothing with `--json`. */
  say(line = ''): void {
    if (!this.asJson) this.io.stdout.write(`${seen(line)}\n`);
  }

  /** The answer as data; nothing without `--json`. Only the first one counts, so that the document stays one. */
  answer(document: Readonly<Record<string, unknown>>): void {
    if (!this.asJson || this.#answered) return;
    this.#answered = true;
    this.io.stdout.write(`${JSON.stringify({ v: 1, ...document }, undefined, 2)}\n`);
  }

  /** A hint or a warning, on standard error, also with `--json`. */
  note(line: string): void {
    this.io.stderr.write(`${seen(line)}\n`);
  }

  complain(complaint: Complaint): void {
    this.note(`${this.paint.red('error:')} ${complaint.message}`);
    for (const command of complaint.next) this.note(`  next: ${this.paint.bold(command)}`);
    this.answer({ error: { code: complaint.code, message: complaint.message, next: complaint.next } });
  }

  /** Rows under headings, aligned, without frames, so that `awk` and eyes can both read it. */
  table(headings: readonly string[], rows: readonly (readonly string[])[]): void {
    if (this.asJson) return;
    const table = new Table({
      head: headings.map((heading) => this.paint.dim(heading)),
      style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
      chars: frameless,
    });
    table.push(...rows.map((row) => [...row]));
    for (const line of table.toString().split('\n')) this.say(line.trimEnd());
  }
}

/**
 * Without what a terminal obeys, but for colours, and without what turns the order of letters around: reasons, names and answers of
 * servers are shown here, and none of them may draw over what stands beside it.
 */
function seen(line: string): string {
  return line.replaceAll(obeyed, '�');
}

// oxlint-disable-next-line no-control-regex
const obeyed = /(?!\u001B\[[\d;]*m)[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/g;

const frameless = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ].map((place) => [place, '']),
);
