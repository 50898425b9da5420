/** The people of the sweep: who asks, and who decides. Their keys are made anew for each run. */
import { directoryOf, person } from '../support/signers.js';

export const ada = person('ada@example.com');
export const grace = person('grace@example.com');

export const directory = directoryOf(ada, grace);
