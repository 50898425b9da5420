import { partyNamed } from '../domain/directory.js';
import { groupedBy, operationsOf, recentDecisions } from './decisions.js';
import type { Rule } from './finding.js';

/** Somebody's words, with what they were about. */
interface Said {
  readonly by: string;
  readonly operation: string;
  readonly text: string;
}

/** Words that fit everything and say nothing. */
const generic = new Set(
  'test, testing, asap, urgent, needed, need access, required, as requested, as discussed, per request, see ticket, fix, update, maintenance, routine, approved, ok, okay, lgtm, fine, yes, looks good, n a, na, none, tbd, because'.split(
    ', ',
  ),
);

/** Reasons that say nothing, or that somebody gives again and again. What automations say is the same every time, and means nothing. */
export const copiedReasons: Rule = ({ records, directory, now }, { period, reasons }) => {
  const from = now.getTime() - period;
  const asked = records
    .filter(({ endedAt }) => Date.parse(endedAt) >= from)
    .map(({ operation, request }): Said => ({ by: request.requester, operation, text: request.reason ?? '' }))
    .filter(({ by }) => (partyNamed(directory, by)?.kind ?? 'person') === 'person');
  const decided = recentDecisions(records, now, period).map(({ approver, operation, reason = '' }): Said => ({
    by: approver,
    operation,
    text: reason,
  }));
  return [
    ...findings('asks with', asked),
    ...findings(
      'decides with',
      decided.filter(({ text }) => text !== ''),
    ),
  ];

  function findings(how: string, said: readonly Said[]): ReturnType<Rule> {
    return [...groupedBy(said, ({ by }) => by)].flatMap(([by, all]) => [
      ...copies(all).map((same) => ({
        ...common(by, same),
        rule: 'copied-reason' as const,
        severity: 'low' as const,
        what: `${by} ${how} the same reason ${same.length} times: ${quoted(same[0]!.text)}`,
      })),
      ...[all.filter(({ text }) => isGeneric(text))]
        .filter((empty) => empty.length >= reasons.copies)
        .map((empty) => ({
          ...common(by, empty),
          rule: 'generic-reason' as const,
          severity: 'low' as const,
          what: `${by} ${how} a reason that says nothing ${empty.length} times, e.g. ${quoted(empty[0]!.text)}`,
        })),
    ]);
  }

  function copies(all: readonly Said[]): (readonly Said[])[] {
    const told = all.filter(({ text }) => !isGeneric(text));
    return clusters(told).filter((same) => operationsOf(same).length >= reasons.copies);
  }

  function isGeneric(text: string): boolean {
    const plain = normal(text);
    return plain.length < reasons.shortest || generic.has(plain);
  }
};

function common(subject: string, all: readonly Said[]) {
  return {
    subject,
    evidence: operationsOf(all),
    controls: ['800-53:AU-6', '800-53:AC-6(9)'],
    next: `ask ${subject} to say what the change is for`,
  };
}

/** Texts that are nearly the same, together. */
function clusters(all: readonly Said[]): Said[][] {
  const found: { readonly words: ReadonlySet<string>; readonly members: Said[] }[] = [];
  for (const said of all) {
    const words = new Set(normal(said.text).split(' '));
    const near = found.find((cluster) => likeness(cluster.words, words) >= nearlySame);
    if (near) near.members.push(said);
    else found.push({ words, members: [said] });
  }
  return found.map(({ members }) => members);
}

/** Share of words that two texts have in common. */
const nearlySame = 0.85;

function likeness(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  const both = [...one].filter((word) => other.has(word)).length;
  return both / (one.size + other.size - both);
}

/** Without case, marks and numbers: a new ticket number makes no new reason. */
function normal(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^\p{L}]+/gu, ' ')
    .trim();
}

function quoted(text: string): string {
  return text === '' ? 'nothing' : `'${text.slice(0, 80)}'`;
}
