/** Who asks for everything that is measured, and who agrees. Their keys are made anew for each run. */
import { directoryOf, person } from '../test/support/signers.js';

export const asker = person('bench@example.com');

export const approver = person('approves@example.com');

export const directory = directoryOf(asker, approver);
