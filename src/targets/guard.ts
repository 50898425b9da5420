/**
 * What wraps every target from outside: a time limit for each call, and errors that give nothing away. A target may hang or
 * throw what its vendor's library throws; what leaves here has a code, and holds no secret and no connection string.
 */
import { TenureError } from '../domain/errors.js';
import type { Material } from '../stores/store.js';
import type { Target } from './target.js';

export interface GuardOptions {
  /** Longest time for one call, milliseconds. A last resort: a target bounds its own steps more tightly. */
  readonly callTimeoutMs: number;
}

/** Whether a call that gets no answer may have changed something. */
const calls = {
  probe: 'reads',
  mint: 'reads',
  verify: 'reads',
  usage: 'reads',
  refuse: 'reads',
  inspect: 'reads',
  install: 'changes',
  uninstall: 'changes',
  retire: 'changes',
  purge: 'changes',
  remove: 'changes',
  repair: 'changes',
} as const;

type CallName = keyof typeof calls;

/** Material keys that say where and who, and are no secret. */
const openKeys = ['username', 'host', 'port', 'database'];

/** The same target, guarded. */
export function guardTarget(target: Target, options: GuardOptions = { callTimeoutMs: 90_000 }): Target {
  const guarded = (Object.keys(calls) as CallName[]).map((name) => [
    name,
    async (...args: unknown[]) => {
      const method = target[name] as (...args: unknown[]) => Promise<unknown>;
      const about = `target ${target.name}: ${name}`;
      try {
        return await within(options.callTimeoutMs, method.apply(target, args), about, calls[name]);
      } catch (error) {
        throw sanitise(error, secretsIn(args), about);
      }
    },
  ]);
  return Object.assign(Object.create(target) as Target, Object.fromEntries(guarded));
}

async function within<T>(ms: number, work: Promise<T>, about: string, kind: 'reads' | 'changes'): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const [code, effect] =
        kind === 'reads'
          ? (['TargetUnavailable', ''] as const)
          : (['OutcomeUnknown', '; it may have applied'] as const);
      reject(new TenureError(code, `${about} gave no answer within ${ms} ms${effect}`));
    }, ms);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** The error without secrets. What has no code is a bug: it stays loud, under the name of the broken promise. */
function sanitise(error: unknown, secrets: readonly string[], about: string): Error {
  if (error instanceof TenureError) {
    const facts = JSON.parse(scrub(JSON.stringify(error.facts), secrets)) as Record<string, unknown>;
    return new TenureError(error.code, scrub(error.message, secrets), facts);
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const broken = new Error(`InvariantBroken: ${about} threw what has no code: ${scrub(message, secrets)}`);
  // Without a cause: it would carry the unscrubbed text into logs.
  if (stack !== undefined) broken.stack = scrub(stack, secrets);
  return broken;
}

function scrub(text: string, secrets: readonly string[]): string {
  return secrets
    .reduce((rest, secret) => rest.replaceAll(secret, '[secret]'), text)
    .replace(/SCRAM-SHA-\d+\$[^\s'"]+/g, '[verifier]')
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@:]*:[^\s@]*@/gi, '$1[secret]@');
}

/** Every secret string in the arguments: materials may stand inside other arguments. */
function secretsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const found = Object.entries(value).flatMap(([key, inner]) => {
    if (typeof inner !== 'string') return secretsIn(inner);
    return isMaterial(value) && !openKeys.includes(key) && inner.length > 3 ? [inner, encodeURIComponent(inner)] : [];
  });
  return [...new Set(found)].sort((a, b) => b.length - a.length);
}

function isMaterial(value: object): value is Material {
  const isOther = 'identity' in value || 'principal' in value;
  return !isOther && Object.values(value).every((inner) => typeof inner === 'string');
}
