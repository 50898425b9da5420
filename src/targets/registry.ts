/** Opens the targets of the operator's file by name. A new connector is one line in {@link targetTypes}. */
import { dirname } from 'node:path';
import type { z } from 'zod';
import type { TenureConfig } from '../config/types.js';
import { TenureError } from '../domain/errors.js';
import { guardTarget } from './guard.js';
import { postgresqlOptions, postgresqlTarget } from './postgresql.js';
import type { Target } from './target.js';

/** The targets of one operator's file. */
export interface Targets {
  /** Opens a target on first use; connects to nothing. `InvalidRequest` when the operator's file has no such target. */
  get(name: string): Target;
  /** Ends the connections of all opened targets. */
  close(): Promise<void>;
}

interface TargetType {
  /** Checks the options as they are written in the operator's file. */
  readonly options: z.ZodType;
  /** `folder` is what relative paths in the options are relative to. */
  open(name: string, options: unknown, folder: string): Target;
}

/** Every target type, by the `type` that the operator's file uses. */
export const targetTypes: Readonly<Record<string, TargetType>> = {
  postgresql: {
    options: postgresqlOptions,
    open: (name, options, folder) => postgresqlTarget(name, postgresqlOptions.parse(options), folder),
  },
};

/** The targets that `config` names, each behind the guard; none is opened before it is asked for. */
export function openTargets(config: TenureConfig): Targets {
  const opened = new Map<string, Target>();
  return {
    get(name) {
      const target = opened.get(name) ?? guardTarget(open(config, name));
      opened.set(name, target);
      return target;
    },
    async close() {
      const targets = [...opened.values()];
      opened.clear();
      await Promise.allSettled(targets.map((target) => target.close()));
    },
  };
}

function open(config: TenureConfig, name: string): Target {
  const options = Object.hasOwn(config.targets, name) ? config.targets[name] : undefined;
  if (!options) {
    const known = Object.keys(config.targets).join(', ') || 'none';
    throw new TenureError('InvalidRequest', `no target is named ${name} in ${config.file}; it has: ${known}`);
  }
  const type = Object.hasOwn(targetTypes, options.type) ? targetTypes[options.type] : undefined;
  if (!type) {
    const known = Object.keys(targetTypes).join(', ');
    throw new TenureError('InvalidRequest', `target ${name}: type ${options.type} is not known; known are: ${known}`);
  }
  return type.open(name, options, dirname(config.file));
}
