import { describe, expect, test } from 'vitest';
import { readNotes } from '../../src/policy/annotations.js';

const gate = { id: 'gate', message: 'It waits.' };
const problemsOf = (annotations: Record<string, string | null>, effect: 'permit' | 'forbid' = 'forbid') =>
  readNotes(annotations, effect).problems.map(({ problem }) => problem);

describe('annotations', () => {
  test('say whom a gate asks, what people are told, and which controls it is for', () => {
    const written = {
      ...gate,
      control: '800-53:AC-3(2), OWASP:NHI5:2025,',
      fix: 'Ask.',
      require: 'approvals: 2, groups: [team|platform, security], stepUp: true, escalateTo: leads',
    };
    expect(readNotes(written, 'forbid')).toEqual({
      notes: {
        id: 'gate',
        message: 'It waits.',
        fix: 'Ask.',
        controls: ['800-53:AC-3(2)', 'OWASP:NHI5:2025'],
        require: { approvals: 2, groups: ['team|platform', 'security'], stepUp: true, escalateTo: 'leads' },
      },
      problems: [],
    });
  });

  test('may be JSON, and ask for one person where they say no number', () => {
    expect(readNotes({ ...gate, require: '{"groups":["security"]}' }, 'forbid').notes.require).toEqual({
      approvals: 1,
      groups: ['security'],
      stepUp: false,
    });
    expect(readNotes({ ...gate, require: '' }, 'forbid').notes.require).toEqual({
      approvals: 1,
      groups: [],
      stepUp: false,
    });
  });

  test('say who looks at it afterwards', () => {
    const { notes, problems } = readNotes({ id: 'permit', review: 'people: 2, within: 1d' }, 'permit');
    expect(notes).toEqual({
      id: 'permit',
      message: '',
      fix: '',
      controls: [],
      review: { people: 2, withinMs: 86_400_000 },
    });
    expect(problems).toEqual([]);
  });

  test.each<[string, Record<string, string | null>, 'permit' | 'forbid']>([
    ['it has no @id', { message: 'm' }, 'forbid'],
    ['it has no @id', { id: null }, 'permit'],
    ['its @id is no plain name', { id: '__proto__' }, 'permit'],
    ['its @id is no plain name', { id: '' }, 'permit'],
    ['the @id policy-error is taken', { id: 'policy-error' }, 'permit'],
    ['the @id nothing-permits is taken', { id: 'nothing-permits' }, 'permit'],
    ['@requires means nothing here', { ...gate, requires: 'approvals: 1' }, 'forbid'],
    ['@require stands on a permit', { id: 'p', require: 'approvals: 1' }, 'permit'],
    ['@review stands on a forbid', { ...gate, review: 'people: 1, within: 1d' }, 'forbid'],
    ['it has no @message', { id: 'f' }, 'forbid'],
    ['it has no @message', { id: 'f', message: null }, 'forbid'],
    ['@require is not understood', { ...gate, require: 'approvals: 0' }, 'forbid'],
    ['@require is not understood', { ...gate, require: 'approvals: many' }, 'forbid'],
    ['@require is not understood', { ...gate, require: 'approvers: 2' }, 'forbid'],
    ['@require is not understood', { ...gate, require: 'groups: [a' }, 'forbid'],
    ['@require is not understood', { ...gate, require: 'groups: ["Security Team"]' }, 'forbid'],
    ['@review is not understood', { id: 'p', review: 'people: 2' }, 'permit'],
    ['@review is not understood', { id: 'p', review: null }, 'permit'],
  ])('are refused where %s', (problem, annotations, effect) => {
    expect(problemsOf(annotations, effect)).toEqual([problem]);
  });
});
