/**
 * What wraps every target from outside: a time limit for each call, and errors that give nothing away. A target may hang or
 * throw what its vendor's library throws; what leaves here has a code, and holds no secret and no connection string.
 */
import { TenureError } from '../domain/errors.js';
import { redact } from '../stores/redact.js';
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
  recordedUse: 'reads',
  install: 'changes',
  uninstall: 'changes',
  retire: 'changes',
  purge: 'changes',
  remove: 'changes',
  repair: 'changes',
  bringRights: 'changes',
} as const;

type CallName = keyof typeof calls;

/** The same target, guarded. */
export function guardTarget(target: Target, options: GuardOptions = { callTimeoutMs: 90_000 }): Target {
  const names = (Object.keys(calls) as CallName[]).filter((name) => target[name] !== undefined);
  const guarded = names.map((name) => [
    name,
    async (...args: unknown[]) => {
      const method = target[name] as (...args: unknown[]) => Promise<unknown>;
      const about = `target ${target.name}: ${name}`;
      try {
        return await within(options.callTimeoutMs, method.apply(target, args), about, calls[name]);
      } catch (error) {
        throw sanitise(error, materialsIn(args), about);
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
function sanitise(error: unknown, materials: readonly Material[], about: string): Error {
  if (error instanceof TenureError) {
    const facts = JSON.parse(scrub(JSON.stringify(error.facts), materials)) as Record<string, unknown>;
    return new TenureError(error.code, scrub(error.message, materials), facts);
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const broken = new Error(`InvariantBroken: ${about} threw what has no code: ${scrub(message, materials)}`);
  // Without a cause: it would carry the unscrubbed text into logs.
  if (stack !== undefined) broken.stack = scrub(stack, materials);
  return broken;
}

/** Without the materials of the call, and without what looks like a secret that it was not given. */
function scrub(text: string, materials: readonly Material[]): string {
  return redact(text, materials)
    .replace(/SCRAM-SHA-\d+\$[^\s'"]+/g, '[verifier]')
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@:]*:[^\s@]*@/gi, '$1[redacted]@');
}

/** Every material in the arguments: they may stand inside other arguments. */
function materialsIn(value: unknown): Material[] {
  if (typeof value !== 'object' || value === null) return [];
  return isMaterial(value) ? [value] : Object.values(value).flatMap(materialsIn);
}

function isMaterial(value: object): value is Material {
  const isOther = Array.isArray(value) || 'identity' in value || 'principal' in value;
  return !isOther && Object.values(value).every((inner) => typeof inner === 'string');
}
