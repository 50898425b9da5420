/** Opens the stores of the operator's file by name. A new connector is one line in {@link storeTypes}. */
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import type { SecretSource, TenureConfig } from '../config/types.js';
import { TenureError } from '../domain/errors.js';
import { localStoreOptions, openLocalStore } from './local.js';
import type { Store } from './store.js';

/** The stores of one operator's file. */
export interface Stores {
  /** Opens a store on first use. `InvalidRequest` when the operator's file has no such store. */
  get(name: string): Store;
}

interface StoreType {
  /** Checks the options as they are written in the operator's file. */
  readonly options: z.ZodType;
  open(name: string, options: unknown, absolute: (path: string) => string): Store;
}

/** Every store type, by the `type` that the operator's file uses. */
export const storeTypes: Readonly<Record<string, StoreType>> = {
  local: {
    options: localStoreOptions,
    open(name, options, absolute) {
      const { directory, key } = localStoreOptions.parse(options);
      return openLocalStore(name, { directory: absolute(directory), key: withAbsoluteFile(key, absolute) });
    },
  },
};

/** The stores that `config` names; none is opened before it is asked for. */
export function openStores(config: TenureConfig): Stores {
  const opened = new Map<string, Store>();
  const absolute = (path: string): string => resolve(dirname(config.file), path);
  return {
    get(name) {
      const store = opened.get(name) ?? open(config, name, absolute);
      opened.set(name, store);
      return store;
    },
  };
}

function open(config: TenureConfig, name: string, absolute: (path: string) => string): Store {
  const options = Object.hasOwn(config.stores, name) ? config.stores[name] : undefined;
  if (!options) {
    const known = Object.keys(config.stores).join(', ') || 'none';
    throw new TenureError('InvalidRequest', `no store is named ${name} in ${config.file}; it has: ${known}`);
  }
  const type = Object.hasOwn(storeTypes, options.type) ? storeTypes[options.type] : undefined;
  if (!type) {
    const known = Object.keys(storeTypes).join(', ');
    throw new TenureError('InvalidRequest', `store ${name}: type ${options.type} is not known; known are: ${known}`);
  }
  return type.open(name, options, absolute);
}

function withAbsoluteFile(source: SecretSource, absolute: (path: string) => string): SecretSource {
  return 'file' in source ? { file: absolute(source.file) } : source;
}
