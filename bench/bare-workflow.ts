/** The bare engine: a workflow with as many activities as a rotation has, which do nothing. */
import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';

interface Nothing {
  nothing(input: unknown): Promise<unknown>;
}

const options = { startToCloseTimeout: 30_000 };
const { nothing } = proxyActivities<Nothing>(options);
const { nothing: nothingHere } = proxyLocalActivities<Nothing>(options);

/** As many of each as the caller counted in a real rotation, with an input of the size of a real one. */
export async function bare(counts: {
  readonly remote: number;
  readonly local: number;
  readonly input: unknown;
}): Promise<void> {
  const before = Math.ceil(counts.local / 2);
  for (let i = 0; i < before; i += 1) await nothingHere(counts.input);
  for (let i = 0; i < counts.remote; i += 1) await nothing(counts.input);
  for (let i = before; i < counts.local; i += 1) await nothingHere(counts.input);
}
