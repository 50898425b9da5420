/** Questions of every kind, so that each gate meets something that it should stop. */
import type { PolicyQuestion } from './question.js';
import { questionFrom } from './table-question.js';
import { asks, givenSchema, usualCast } from './table-schema.js';

const places = [{}, { environment: 'production' }];
const data = [{}, { dataClass: 'regulated' }];
const pasts = [{}, { lastApproved: 'other', growth: ['delete on table ledger'] }];
const requesters = ['ada@example.com', 'automation/tenure'];

/** Every action, by every kind of requester, in and outside production. */
export function imaginable(): PolicyQuestion[] {
  return asks.flatMap((ask) =>
    requesters.flatMap((by) =>
      places.flatMap((place) =>
        data.flatMap((sort) =>
          pasts.map((facts) => {
            const given = givenSchema.parse({ ask, by, identity: { ...place, ...sort }, facts });
            return questionFrom(given, usualCast);
          }),
        ),
      ),
    ),
  );
}
