import type { TenureConfig } from '../config/types.js';
import type { Target } from '../targets/target.js';
import type { ManifestContext } from './checks.js';

/** What manifests are checked against where the operator's file and its targets are at hand. Connects to nothing. */
export function manifestContext(config: TenureConfig, targets: { get(name: string): Target }): ManifestContext {
  const isKnown = (name: string) => Object.hasOwn(config.targets, name);
  return {
    config,
    checkScope: (target, identity, scope) => targets.get(target).checkScope(identity, scope),
    capabilities: (target) => (isKnown(target) ? targets.get(target).capabilities : undefined),
  };
}
