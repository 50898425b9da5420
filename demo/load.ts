/** Requests at a fixed rate, whatever becomes of the earlier ones, and what is known of them phase by phase. */
import type { PhaseFigures } from './messages.js';

/** Why a request failed: the step, and a code without any text of a server. */
export class RequestFailure extends Error {
  constructor(
    readonly step: 'store' | 'login' | 'query',
    readonly code: string,
  ) {
    super(`${step} ${code}`);
  }
}

/** Does one request and gives the name that it logged in with. Fails with {@link RequestFailure}. */
export type Request = () => Promise<string>;

const tickMs = 5;

export class Load {
  #phase = new Phase('');
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly request: Request,
    private readonly perSecond: number,
  ) {}

  start(phase: string): void {
    this.#phase = new Phase(phase);
    const startedAt = Date.now();
    let sent = 0;
    this.#timer = setInterval(() => {
      // Open loop: what is due is sent, also after a stall, and counts from when it was due.
      for (; startedAt + (sent * 1_000) / this.perSecond <= Date.now(); sent += 1)
        this.#phase.add(startedAt + (sent * 1_000) / this.perSecond, this.request());
    }, tickMs);
  }

  /** Ends the phase and gives its figures once its last request has ended. */
  async next(phase: string): Promise<PhaseFigures> {
    const ended = this.#phase;
    this.#phase = new Phase(phase);
    return ended.figures();
  }

  async stop(): Promise<PhaseFigures> {
    clearInterval(this.#timer);
    return this.next('');
  }
}

class Phase {
  readonly #startedAt = Date.now();
  readonly #pending = new Set<Promise<void>>();
  readonly #latencies: number[] = [];
  readonly #failures = new Map<string, number>();
  readonly #logins = new Map<string, number>();
  #requests = 0;
  #lastGoodAt: number | undefined;
  #firstFailedAt: number | undefined;
  #firstRefusedAt: number | undefined;

  constructor(private readonly name: string) {}

  add(dueAt: number, request: Promise<string>): void {
    this.#requests += 1;
    const beganAt = Date.now();
    const settled: Promise<void> = request
      .then(
        (principal) => this.#succeeded(dueAt, beganAt, principal),
        (error: unknown) => this.#failed(error),
      )
      .finally(() => this.#pending.delete(settled));
    this.#pending.add(settled);
  }

  async figures(): Promise<PhaseFigures> {
    const seconds = (Date.now() - this.#startedAt) / 1_000;
    await Promise.all(this.#pending);
    const sorted = this.#latencies.toSorted((one, other) => one - other);
    return {
      phase: this.name,
      seconds,
      requests: this.#requests,
      failed: [...this.#failures.values()].reduce((sum, count) => sum + count, 0),
      p50: percentile(sorted, 0.5),
      p99: percentile(sorted, 0.99),
      failures: Object.fromEntries(this.#failures),
      logins: Object.fromEntries(this.#logins),
      ...(this.#lastGoodAt !== undefined && { lastGoodAt: this.#lastGoodAt }),
      ...(this.#firstFailedAt !== undefined && { firstFailedAt: this.#firstFailedAt }),
      ...(this.#firstRefusedAt !== undefined && { firstRefusedAt: this.#firstRefusedAt }),
    };
  }

  #succeeded(dueAt: number, beganAt: number, principal: string): void {
    this.#latencies.push(Date.now() - dueAt);
    this.#lastGoodAt = Math.max(this.#lastGoodAt ?? 0, beganAt);
    count(this.#logins, principal);
  }

  #failed(error: unknown): void {
    this.#firstFailedAt ??= Date.now();
    count(this.#failures, error instanceof RequestFailure ? error.message : 'unforeseen');
    if (error instanceof RequestFailure && error.step === 'login') this.#firstRefusedAt ??= Date.now();
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** Nearest rank; 0 where nothing was measured. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
