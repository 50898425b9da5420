/** An exception in plain words, from its records alone. Pure. */
import { instant } from '../../cli/words.js';
import type { ExceptionEvidence, ProcessRecord } from '../../domain/evidence.js';
import { controlInWords } from '../../domain/exception.js';
import { attestedLines, decisionLines, ended, roundsLines } from './explain-gate.js';
import { codeLines, type Explanation, type Section } from './explain.js';

/** Tells the last of an exception's records, with what came before it. `followed`: the processes that were asked for when it was over. */
export function explainException(
  records: readonly [ExceptionEvidence, ...ExceptionEvidence[]],
  followed: readonly ProcessRecord[] = [],
): Explanation {
  const last = records.at(-1)!;
  const { operation, identity, examined, decision, gate, rounds } = last;
  const decisions = [examined.decision, decision].filter((each) => each !== undefined);
  const sections: Section[] = [
    { heading: 'Who asked', lines: askedLines(last) },
    { heading: 'What it excepted from', lines: termsLines(last) },
    { heading: 'What held instead', lines: controlLines(last) },
    { heading: 'What policy decided', lines: decisionLines(decisions[0]) },
    { heading: 'Who decided at the gate', lines: roundsLines([...(rounds ?? []), gate]) },
    { heading: 'How it ended', lines: endLines(last) },
    { heading: 'What followed', lines: followedLines(last, followed) },
    { heading: 'What ran', lines: codeLines(last) },
  ];
  return {
    operation,
    identity,
    summary: summaryOf(last),
    sections: sections.filter(({ lines }) => lines.length > 0),
    unknown: unknownOf(last),
  };
}

function summaryOf({ id, identity, terms, what, approvedAt, end }: ExceptionEvidence): string {
  const name = `The exception ${id} of ${identity} from ${terms.rules.join(', ')}`;
  if (what === 'refused')
    return `${name} was not approved, so it never held: ${end?.why ?? 'the record does not say why'}.`;
  const approved = `${name} was approved at ${instant(approvedAt!)}`;
  if (end) return `${approved} and ended at ${instant(end.at)}: ${end.why}.`;
  return `${approved}, to hold until ${instant(terms.until)}. No record of its end is in the log.`;
}

function askedLines({ terms, examined }: ExceptionEvidence): string[] {
  const { by, reason, ticket } = terms;
  return [
    `${by} asked for it, because: ${reason}${ended(reason)}`,
    ...(ticket === undefined ? [] : [`It belongs to ${ticket}.`]),
    ...attestedLines(by, examined.requester),
  ];
}

function termsLines({ identity, terms, examined: { facts, owner, environment } }: ExceptionEvidence): string[] {
  const what = facts ? `${facts.declared.kind}, ${facts.dataClass} data, at ${facts.target}, ` : '';
  return [
    `${identity} (${what}${environment}, owned by ${owner}) did not have to meet: ${terms.rules.join(', ')}.`,
    `Until ${instant(terms.until)}; then ${identity} was to be asked to ${terms.afterwards}.`,
  ];
}

function controlLines({ terms, examined, checks, what, suspensions, end }: ExceptionEvidence): string[] {
  const last = what === 'refused' ? [] : checks;
  return [
    ...terms.controls.map((control) => `Control: ${controlInWords(control)}.`),
    ...examined.checks.map((one) => `When people were asked, at ${instant(one.at)}, ${said(one)}`),
    ...(suspensions?.length === 0 ? ['It was never suspended: at each check every control held.'] : []),
    ...(suspensions ?? []).map(
      ({ from, to, why }) => `Suspended from ${instant(from)} to ${instant(to ?? end!.at)}: ${why}${ended(why)}`,
    ),
    ...last.map((one) => `At the last check, at ${instant(one.at)}, ${said(one)}`),
  ];
}

function said({ control, holds, detail }: ExceptionEvidence['checks'][number]): string {
  return `this ${holds ? 'held' : 'did not hold'}: ${control} (${detail}).`;
}

function endLines({ what, end, terms }: ExceptionEvidence): string[] {
  if (!end) return [];
  const { at, why, word } = end;
  return [
    `${what === 'refused' ? 'Refused' : 'Ended'} at ${instant(at)}: ${why}.`,
    ...(word ? [`The word of ${word.by} is in the record, signed.`] : []),
    ...(what === 'ended' && !word && at < terms.until
      ? ['It ended before its time; nobody’s word for that is here.']
      : []),
  ];
}

function followedLines({ what, identity, terms }: ExceptionEvidence, followed: readonly ProcessRecord[]): string[] {
  if (what !== 'ended') return [];
  if (followed.length === 0)
    return [`No record of the ${terms.afterwards} of ${identity} that was to follow is in the log yet.`];
  return followed.map(
    ({ operation, outcome, endedAt }) => `${operation} followed: ${outcome}, at ${instant(endedAt)}.`,
  );
}

function unknownOf({ what, approval, history }: ExceptionEvidence): string[] {
  return [
    ...(what === 'ended' && approval === undefined
      ? ['Who approved it, from a record of that time: there was none when it ended.']
      : []),
    ...(history ? [] : ['Whether the workflow ran as its code says: no history is kept beside the record.']),
    'Whether its controls held at every moment: they are run from time to time, and the record has what was found when people were asked, when it was suspended, and at the last check.',
    'Whether a control is enough for the rule that was not met: that is what the approvers judged.',
    'Whether a key was held by the person whose name the directory gives to it.',
    'Whether the machine that ran the worker was sound: the record holds what the worker saw.',
  ];
}
