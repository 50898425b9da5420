import type { Terminal } from './terminal.js';

/** What the demo says of Tenure: each is checked once, where it happens, and told at once. */
export interface Claim {
  readonly title: string;
  readonly state: 'held' | 'failed' | 'not shown';
  /** What was measured. */
  readonly seen: string;
}

export class Claims {
  readonly all: Claim[] = [];

  constructor(private readonly terminal: Terminal) {}

  /** Records whether a claim held, and tells it with what was expected and what was seen. */
  check(title: string, held: boolean, seen: string, expected: string): void {
    this.all.push({ title, state: held ? 'held' : 'failed', seen });
    const { green, red, dim } = this.terminal.paint;
    if (held) return this.terminal.say(`  ${green('✓')} ${title} ${dim(`(${seen})`)}`);
    this.terminal.say(red(`  ✗ ${title}`));
    this.terminal.say(red(`      expected: ${expected}`));
    this.terminal.say(red(`      seen:     ${seen}`));
  }

  /** Records that a claim could not be checked here, and why. It counts neither as held nor as failed. */
  notShown(title: string, why: string): void {
    this.all.push({ title, state: 'not shown', seen: why });
    this.terminal.say(`  ${this.terminal.paint.yellow('–')} not shown: ${title} (${why})`);
  }

  /** Whether every claim that could be checked here held, and there was one. */
  get checkedHeld(): boolean {
    const checked = this.all.filter(({ state }) => state !== 'not shown');
    return checked.length > 0 && checked.every(({ state }) => state === 'held');
  }
}
