import type { Store } from '../../src/stores/store.js';
import type { Faults } from './faults.js';

/** The same store, with planned faults by `<method> <path>`. */
export function faultyStore(store: Store, faults: Faults): Store {
  return new Proxy(store, {
    get(real, property) {
      const member: unknown = Reflect.get(real, property, real);
      if (typeof member !== 'function') return member;
      return (path: string, ...rest: unknown[]) =>
        faults.act(String(property), path, () => Reflect.apply(member, real, [path, ...rest]) as unknown);
    },
  });
}
