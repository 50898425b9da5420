/** Faults that tests plan for a target or a store: fail before the effect, fail after it, never return, take effect late. */
import { TenureError } from '../../src/domain/errors.js';

/** How a method misbehaves, for as many calls as `times` says. */
export interface Fault {
  /** `hang` never returns; with `until` it takes effect then, however late that is. */
  readonly when: 'before' | 'after' | 'hang';
  times: number;
  readonly error?: TenureError;
  readonly until?: Promise<unknown>;
}

/** Planned faults, by `<method>` or, for one identity or path alone, by `<method> <which>`. */
export class Faults extends Map<string, Fault> {
  private readonly hanging = new Set<() => void>();

  /** Brings about `effect`, or what was planned instead. */
  async act<T>(method: string, which: string, effect: () => T | Promise<T>): Promise<T> {
    const fault = this.get(`${method} ${which}`) ?? this.get(method);
    if (!fault || fault.times <= 0) return effect();
    fault.times -= 1;
    if (fault.when === 'hang') {
      await (fault.until ?? this.forever());
      return effect();
    }
    if (fault.when === 'after') await effect();
    throw fault.error ?? new TenureError('TargetUnavailable', `${method} ${which}: no answer`);
  }

  /** Ends what hangs, as a fault; a worker waits for its activities when it stops. */
  letGo(): void {
    for (const end of this.hanging) end();
  }

  private forever(): Promise<never> {
    return new Promise((_, reject) => {
      this.hanging.add(() => reject(new TenureError('OutcomeUnknown', 'let go')));
    });
  }
}
