import { InvalidArgumentError } from 'commander';
import type { Control } from '../domain/exception.js';

const expected =
  'expected kind=command name=NAME, kind=http url=ADDRESS status=200, kind=validate, or kind=sessions at-most=NUMBER';

/** Collects `--control` options, each as pairs such as `kind=http url=https://host/health status=200`. */
export function controlOption(text: string, before: readonly Control[] = []): readonly Control[] {
  return [...before, controlIn(text)];
}

function controlIn(text: string): Control {
  const pairs = text
    .trim()
    .split(/\s+/)
    .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const);
  const { kind, ...rest } = Object.fromEntries(pairs) as Record<string, string | undefined>;
  const control = controlOf(kind, rest);
  const known = control ? fields[control.kind] : [];
  if (
    control &&
    pairs.length === new Set(pairs.map(([name]) => name)).size &&
    Object.keys(rest).every((name) => known.includes(name))
  )
    return control;
  throw new InvalidArgumentError(expected);
}

const fields: Readonly<Record<Control['kind'], readonly string[]>> = {
  command: ['name'],
  http: ['url', 'status'],
  validate: [],
  sessions: ['at-most'],
};

function controlOf(kind: string | undefined, rest: Record<string, string | undefined>): Control | undefined {
  if (kind === 'command' && rest['name']) return { kind, name: rest['name'] };
  if (kind === 'validate') return { kind };
  if (kind === 'http' && rest['url'] && URL.canParse(rest['url'])) {
    const status = numberIn(rest['status'] ?? '200');
    return status === undefined ? undefined : { kind, url: rest['url'], status };
  }
  const atMost = kind === 'sessions' ? numberIn(rest['at-most']) : undefined;
  return atMost === undefined ? undefined : { kind: 'sessions', atMost };
}

function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : undefined;
}
