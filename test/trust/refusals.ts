import { TenureError } from '../../src/domain/errors.js';

/** The code of a refusal. Whatever else was thrown is thrown on: nothing hostile may cause it. */
export async function refusalOf(work: unknown): Promise<string | undefined> {
  try {
    await (typeof work === 'function' ? (work as () => unknown)() : work);
    return undefined;
  } catch (error) {
    if (error instanceof TenureError && error.code === 'ApprovalRefused') return String(error.facts['reason']);
    throw error;
  }
}
