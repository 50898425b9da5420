import type { Command } from 'commander';
import type { Runtime } from '../session.js';
export function addApply(_program: Command, _runtime: Runtime): void {}
