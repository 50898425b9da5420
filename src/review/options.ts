/** From where on routine is worth a second look, under `review:` in the operator's file. Starting values; only the signals have sources. */
import { z } from 'zod';
import { duration } from '../manifest/schema.js';
import { parseWindows } from '../schedule/window.js';

const dayMs = 86_400_000;
const hourMs = 3_600_000;
const count = (most = 10_000) => z.int().min(1).max(most);
const share = z.number().min(0).max(1);
const days = duration(60_000, 3_650 * dayMs);

const hours = z
  .string()
  .max(300)
  .superRefine((text, context) => {
    const read = parseWindows(text);
    if ('problem' in read) context.addIssue({ code: 'custom', message: `${read.problem} | ${read.fix}` });
  });

/** The part of the operator's file. */
export const reviewSchema = z
  .strictObject({
    every: duration(60_000, 31 * dayMs)
      .default(dayMs)
      .describe('How often the review runs by itself. `1d`.'),
    period: days.default(30 * dayMs).describe('How far back approvals are counted. `30d`.'),
    hours: hours
      .optional()
      .describe('When approvals are expected, e.g. `Mon-Fri 07:00-19:00 Europe/Berlin`. Without it, any time.'),
    pair: z
      .strictObject({
        approvals: count().default(5).describe('As many by one person for one requester.'),
        share: share.default(0.6).describe("Or more than this share of a requester's approvals."),
        least: count().default(4).describe('A share counts from as many approvals on.'),
      })
      .prefault({}),
    reciprocal: count().default(2).describe('Approvals each way between two people.'),
    quick: z
      .strictObject({
        under: duration(1_000, hourMs).default(10_000).describe('A decision sooner after its gate opened.'),
        often: count().default(3).describe('So many by one person within a week weigh more.'),
      })
      .prefault({}),
    load: z
      .strictObject({
        day: count().default(20),
        burst: count().default(5),
        within: duration(60_000, dayMs).default(600_000),
      })
      .prefault({})
      .describe('More decisions by one person in a day, or in a short time.'),
    unrefused: count().default(50).describe('So many decisions of one person without a refusal.'),
    growth: z
      .strictObject({ steps: count().default(3), period: days.default(90 * dayMs) })
      .prefault({})
      .describe('Growth of one identity in so many steps.'),
    unused: z
      .strictObject({ after: days.default(30 * dayMs), long: days.default(90 * dayMs) })
      .prefault({})
      .describe('For how long granted rights may be without a recorded use.'),
    leaving: days.default(14 * dayMs).describe('How long before its end somebody counts as leaving. `14d`.'),
    expiring: days.default(7 * dayMs).describe('How long before its end an exception is told of. `7d`.'),
    reasons: z
      .strictObject({ copies: count().default(3), shortest: count(500).default(10) })
      .prefault({})
      .describe('The same reason so many times, or one of fewer characters.'),
    elevations: z
      .strictObject({ most: count().default(2), within: days.default(30 * dayMs) })
      .prefault({})
      .describe('More elevations of one identity.'),
  })
  .prefault({})
  .describe('From where on routine is worth a second look: tenure review.');

export type ReviewSettings = Readonly<z.output<typeof reviewSchema>>;
