/** What an operator says about exceptions, under `exceptions:` in the operator's file. */
import { z } from 'zod';
import { duration, slug } from '../manifest/schema.js';

const dayMs = 86_400_000;

/** The part of the operator's file. */
export const exceptionsSchema = z
  .strictObject({
    life: duration(60_000, 365 * dayMs)
      .default(30 * dayMs)
      .describe('How long an exception lasts that does not say so itself. `30d`.'),
    gate: duration(60_000, 30 * dayMs)
      .default(3 * dayMs)
      .describe('How long it waits for approval, and a proposed one for a signature. `3d`.'),
    checkEvery: duration(60_000, dayMs).default(3_600_000).describe('How often its controls are checked. `1h`.'),
    hosts: z
      .array(z.string().min(1).max(300))
      .max(200)
      .default([])
      .describe('The only `host` or `host:port` that an http control may ask; none named is none.'),
    commands: z
      .record(slug(), z.array(z.string().min(1).max(1_000)).min(1).max(50))
      .default({})
      .describe('Programs with their arguments that controls may name. They run on the worker, without a shell.'),
  })
  .prefault({})
  .describe('How exceptions are run. Who may ask for one, who approves it and how long it may last is policy.');

export type ExceptionSettings = Readonly<z.output<typeof exceptionsSchema>>;
