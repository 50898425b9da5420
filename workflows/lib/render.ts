import { gateLines } from '../../src/domain/gate-lines.js';
import { asDecided } from '../../src/domain/plan.js';
import { stagesFor, type ProcessState, type StageState, type StageStatus } from '../../src/domain/process.js';
import type { IdentityState } from '../../src/domain/identity.js';
import { asText } from './as-text.js';

const marks: Readonly<Record<StageStatus, string>> = {
  'to do': '·',
  running: '▶',
  waiting: '⏸',
  done: '✔',
  skipped: '–',
  failed: '✘',
  undone: '↩',
  'undo failed': '⚠',
};

/** The current details of a process in the Temporal UI: Markdown, pure in the state. */
export function renderProcess(state: ProcessState): string {
  return [
    `**${state.kind} of ${state.identity}**, asked by ${asText(state.requester)}${state.emergency ? ' (emergency)' : ''}`,
    ...renderParked(state),
    ...renderGate(state),
    ...renderInert(state),
    '',
    '| | stage | state | note |',
    '|---|---|---|---|',
    ...state.stages.map(renderStage),
    ...(state.forwardOnly ? ['', 'Past the point of no return: it only goes forward.'] : []),
    ...(state.failure ? ['', `**${state.failure.code}**: ${asText(state.failure.message)}`] : []),
    ...(state.leftovers.length > 0 ? ['', '**Left over**', ...state.leftovers.map((left) => `- ${asText(left)}`)] : []),
  ].join('\n');
}

/** The current details of an identity. */
export function renderIdentity(state: IdentityState): string {
  const { running, current } = state;
  return [
    `**${state.name}** is **${state.status}**${running ? `; running: \`${running.operation}\`` : ''}`,
    '',
    '| | |',
    '|---|---|',
    `| credential | ${current ? `\`${current.principal}\` at ${current.target}, since ${current.createdAt}` : 'none'} |`,
    `| owner | ${asText(state.spec?.owner.person ?? 'not declared')} |`,
    `| next rotation | ${state.nextRotationAt ?? 'not scheduled'} |`,
    `| waiting | ${state.queue.length === 0 ? 'nothing' : state.queue.map(({ kind, requester }) => `${kind} (${asText(requester)})`).join(', ')} |`,
    ...(state.recent.length > 0 ? ['', '**Last processes**'] : []),
    ...state.recent
      .toReversed()
      .map(
        (done) =>
          `- \`${done.operation ?? done.kind}\` ${done.outcome}${done.message ? `: ${asText(done.message)}` : ''}`,
      ),
    ...(state.problems.length > 0 ? ['', '**Problems**'] : []),
    ...state.problems.toReversed().map(({ at, what }) => `- ${at} ${asText(what)}`),
  ].join('\n');
}

function renderStage(stage: StageState): string {
  return `| ${marks[stage.status]} | ${stage.name} | ${stage.status} | ${asText(stage.note ?? '')} |`;
}

function renderParked({ parked }: ProcessState): string[] {
  if (!parked) return [];
  return [
    '',
    `**Needs an operator** since ${parked.since}, at ${parked.stage}: ${asText(parked.why)}`,
    '',
    ...parked.commands.map((command) => `- \`${command}\``),
  ];
}

function renderGate({ gate, identity, plan, decision }: ProcessState): string[] {
  if (gate?.outcome !== 'open' || !plan) return [];
  return [
    '',
    ...gateLines(asDecided(plan, decision), gate, decision?.facts).map(
      ({ label, text }) => `**${label}** ${asText(text)}  `,
    ),
    '',
    `- \`tenure approve ${identity}\``,
    `- \`tenure deny ${identity} --reason …\``,
  ];
}

/** What was sent and had no effect: for a responder this is the most interesting line. */
function renderInert({ inert = [], gate }: ProcessState): string[] {
  const all = [...inert, ...(gate?.refused ?? [])];
  if (all.length === 0) return [];
  return [
    '',
    '**Did not count**',
    ...all.map(({ at, claimed, reason }) => `- ${at} sent as ${asText(claimed)}: ${asText(reason)}`),
  ];
}

/** The stages of a process before it begins. */
export function freshStages(kind: ProcessState['kind'], repair?: boolean): StageState[] {
  return stagesFor(kind, repair).map((name) => ({ name, status: 'to do' }));
}
