/** I3 under watch: a client that logs in with whatever the store calls current, again and again, for a whole case. */
import type { Material, Store } from '../../src/stores/store.js';
import { logIn } from './login.js';

export class Monitor {
  looks = 0;
  readonly lockedOut: string[] = [];
  private isOver = false;
  private isRevoking = false;
  private wake: () => void = () => undefined;
  private readonly watching: Promise<void>;

  constructor(
    private readonly store: Store,
    private readonly paths: readonly string[],
    private readonly everyMs: number,
  ) {
    this.watching = this.watch();
  }

  /** Looks now: something has just happened. */
  poke(): void {
    this.wake();
  }

  /** From now on a refusal is what was asked for. */
  revocationIsAsked(): void {
    this.isRevoking = true;
  }

  async stop(): Promise<void> {
    this.isOver = true;
    this.wake();
    await this.watching;
  }

  private async watch(): Promise<void> {
    for (let turn = 0; !this.isOver; turn += 1) {
      await this.look(this.paths[turn % this.paths.length]!);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.everyMs);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  private async look(path: string): Promise<void> {
    const before = await this.current(path);
    if (!before || this.isRevoking) return;
    this.looks += 1;
    if ((await logIn(before.material)) !== 'refused') return;
    // Between reading and trying, a rotation may have moved on. It counts when the store still says the same.
    const after = await this.current(path);
    if (this.isRevoking || after?.version !== before.version) return;
    this.lockedOut.push(`${before.version} was refused while ${path} named it as current`);
  }

  private async current(path: string): Promise<{ version: string; material: Material } | undefined> {
    try {
      const { record, material } = await this.store.read(path, { slot: 'current' });
      return { version: record.version, material };
    } catch {
      // Nothing is current, or the store is away.
      return undefined;
    }
  }
}
