/** What the worker has on record about an identity: what was declared, by what it has verified itself, and what was carried out last. */
import type { Declarations } from './declared.js';
import type { Permits } from './permits.js';
import { noneIfRefused } from './refusal.js';
import type { OnRecord } from './specs.js';

/** `lastOperation`: the last process that made a credential and was carried out; it is known by its permit, which only a worker can have made. */
export async function onRecordOf(
  { permits, declarations }: { readonly permits: Permits; readonly declarations: Declarations },
  identity: string,
  lastOperation: string | undefined,
): Promise<OnRecord> {
  const [noted, last] = await Promise.all([
    declarations.of(identity),
    lastOperation === undefined ? undefined : permits.heldBy(lastOperation).catch(noneIfRefused),
  ]);
  return { noted, last };
}
