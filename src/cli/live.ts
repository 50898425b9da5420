import yoctoSpinner, { type Spinner } from 'yocto-spinner';
import type { ProcessState } from '../domain/process.js';
import type { View } from './follow.js';
import type { Output } from './output.js';
import { currentStage, isSettled, settledSince, stageLine } from './stages.js';

/** The stages of one process as they happen: redrawn with time on a terminal, a line for each in a pipe. */
export function stagesView(out: Output): View {
  return out.asJson ? quietView : out.interactive ? new SpinningView(out) : new LineView(out, '');
}

/** One of many processes: only what a person has to know, each line with the identity's name. */
export function briefView(out: Output, name: string): View {
  return out.asJson ? quietView : new LineView(out, `${name}: `, true);
}

const quietView: View = { look: () => undefined, aside: () => undefined, close: () => undefined };

class LineView implements View {
  #before: ProcessState | undefined;
  #told = new Set<string>();

  constructor(
    private readonly out: Output,
    private readonly prefix: string,
    private readonly brief = false,
  ) {}

  look(state: ProcessState): void {
    if (!this.brief)
      for (const stage of settledSince(this.#before, state))
        this.out.say(`${this.prefix}${stageLine(stage, this.out)}`);
    this.#before = state;
    for (const hint of [...hintsOf(state), ...asksOf(state)]) this.aside(hint);
  }

  aside(text: string): void {
    if (this.#told.has(text)) return;
    this.#told.add(text);
    this.out.say(`${this.prefix}${text}`);
  }

  close(): void {}
}

const frameMs = 100;

class SpinningView implements View {
  #spinner: Spinner;
  #timer: NodeJS.Timeout | undefined;
  #before: ProcessState | undefined;
  #aside = '';
  #told = new Set<string>();

  constructor(private readonly out: Output) {
    this.#spinner = yoctoSpinner({ stream: out.io.stdout as never, handleSignals: false });
  }

  look(state: ProcessState): void {
    this.#aside = '';
    for (const stage of settledSince(this.#before, state)) this.#print(stageLine(stage, this.out));
    this.#before = state;
    for (const hint of hintsOf(state)) this.#once(hint);
    this.#spin();
  }

  aside(text: string): void {
    this.#aside = text;
    this.#spin();
  }

  close(): void {
    clearInterval(this.#timer);
    if (this.#timer) this.#spinner.stop();
  }

  #once(text: string): void {
    if (this.#told.has(text)) return;
    this.#told.add(text);
    this.#print(this.out.paint.yellow(text));
  }

  #print(line: string): void {
    this.#spinner.clear();
    this.out.say(line);
  }

  #spin(): void {
    this.#draw();
    if (this.#timer) return;
    this.#spinner.start();
    this.#timer = setInterval(() => this.#draw(), frameMs);
  }

  #draw(): void {
    const stage = this.#before && currentStage(this.#before);
    this.#spinner.text = this.#aside || (stage ? stageLine(stage, this.out) : 'starting');
  }
}

/** What a person has to do for a waiting process. Told once each. */
export function hintsOf(state: ProcessState, now = Date.now()): string[] {
  const { gate } = state;
  // One that was cancelled while it was open is asked by nobody any more.
  if (gate?.outcome !== 'open' || isSettled(state, 'gate')) return [];
  const given = gate.votes.filter((vote) => vote.decision === 'approve').length;
  const closes = gate.deadline > new Date(now).toISOString() ? `; it closes ${gate.deadline}` : '';
  return [`waiting for approval ${given + 1} of ${gate.needed}${closes}: tenure approve ${state.identity}`];
}

/** Stages that wait for a command of somebody. A terminal shows them while they wait; in a pipe only what has ended is a line. */
export function asksOf({ stages }: ProcessState): string[] {
  return stages.flatMap(({ name, status, note }) =>
    name !== 'gate' && status === 'waiting' && note?.includes(': tenure ') ? [`${name}: ${note}`] : [],
  );
}
