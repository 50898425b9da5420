/** What a process shows while it runs: its stages as lines.. */
import type { ProcessState, StageState, StageStatus } from '../domain/process.js';
import type { Output } from './output.js';
import { span } from '../domain/span.js';

const settled: readonly StageStatus[] = ['done', 'skipped', 'failed', 'undone', 'undo failed'];

/** The stages that came to an end, or to another end, between two looks. In stage order. */
export function settledSince(before: ProcessState | undefined, after: ProcessState): StageState[] {
  return after.stages.filter(
    (stage, index) => settled.includes(stage.status) && before?.stages[index]?.status !== stage.status,
  );
}

/** Whether a stage has come to its end, whatever else the process shows of it. */
export function isSettled({ stages }: ProcessState, name: StageState['name']): boolean {
  return stages.some((stage) => stage.name === name && settled.includes(stage.status));
}

/** The stage that runs or waits now. */
export function currentStage(state: ProcessState): StageState | undefined {
  return state.stages.find((stage) => stage.status === 'running' || stage.status === 'waiting');
}

/** One line for one stage. On a terminal with a mark, in a pipe with the word. */
export function stageLine(stage: StageState, out: Output, now = Date.now()): string {
  const time =
    stage.startedAt === undefined
      ? ''
      : span((stage.endedAt ? Date.parse(stage.endedAt) : now) - Date.parse(stage.startedAt));
  const note = stage.note === undefined ? '' : stage.note;
  if (!out.interactive)
    return [`${stage.name}: ${stage.status}`, time && `(${time})`, note && `- ${note}`].filter(Boolean).join(' ');
  const mark = settled.includes(stage.status) ? `${marks(out)[stage.status]} ` : '';
  return `${mark}${stage.name.padEnd(10)} ${out.paint.dim(time.padStart(9))}  ${note || (stage.status === 'done' ? '' : stage.status)}`.trimEnd();
}

function marks(out: Output): Readonly<Record<StageStatus, string>> {
  const { green, red, yellow, dim, cyan } = out.paint;
  return {
    'to do': dim('·'),
    running: cyan('…'),
    waiting: yellow('⏸'),
    done: green('✔'),
    skipped: dim('–'),
    failed: red('✖'),
    undone: yellow('↩'),
    'undo failed': red('✖'),
  };
}
