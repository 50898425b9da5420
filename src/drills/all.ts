import type { Drill } from './drill.js';
import { gateDrills } from './gate-drills.js';
import { handDrills } from './hand-drills.js';
import { runDrills } from './run-drills.js';

/** Every drill, in the order in which they are held. */
export const drills: readonly Drill[] = [...gateDrills, ...runDrills, ...handDrills];
