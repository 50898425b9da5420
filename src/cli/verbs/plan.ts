import type { Command } from 'commander';
import type { Runtime } from '../session.js';
export function addPlan(_program: Command, _runtime: Runtime): void {}
