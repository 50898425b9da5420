import type { Elevation } from '../domain/request.js';
import type { Enough } from './change.js';
import { exitCodes } from './io.js';
import type { Session } from './session.js';
import { relative } from './words.js';

/** Following an elevation is over once the rights are there: until they end it may be hours. */
export function untilLent({ out }: Session, name: string, elevation: Elevation): Enough {
  return {
    isSo: ({ heldUntil }) => heldUntil !== undefined,
    tell: ({ operation, heldUntil: until = '' }) => {
      out.answer({ identity: name, operation, until, elevation });
      out.say(out.paint.green(`${name} has the lent rights until ${until} (${relative(until, Date.now())})`));
      out.say(`  next: ${out.paint.bold(`tenure give-back ${name}`)} when they are not needed any more`);
      return exitCodes.success;
    },
  };
}
