/** Who asks for everything that is measured. The key is made anew for each run. */
import { directoryOf, person } from '../test/support/signers.js';

export const asker = person('bench@example.com');

export const directory = directoryOf(asker);
