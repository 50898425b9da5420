import { spawnSync } from 'node:child_process';

/** Why tests against OpenSSH cannot run here; undefined where they can. */
export const opensshMissing = ['ssh-keygen', 'ssh-agent', 'ssh-add']
  .filter((command) => spawnSync('sh', ['-c', `command -v ${command}`]).status !== 0)
  .map((command) => `${command} is not installed`)
  .at(0);
