/** A folder of policies that a test writes. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { policySource, type Policy } from '../../src/policy/policy.js';

export const everything = '@id("everything")\npermit(principal, action, resource);\n';

/** A gate with this condition. */
export function gate(id: string, require: string, unless: string, when = 'true'): string {
  return `@id("${id}")\n@message("It waits for ${id}.")\n@require("${require}")\nforbid(principal, action, resource)\nwhen { ${when} }\nunless { ${unless} };\n`;
}

/** Written anew; gone after the test. */
export async function folderOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tenure-policies-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await write(folder, files);
  return folder;
}

export async function write(folder: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

/** The policy of these texts. */
export async function policyIn(...texts: readonly string[]): Promise<Policy> {
  const path = await folderOf({ 'all.cedar': texts.join('\n') });
  return policySource({ path, productionEnvironments: ['production'] }).current();
}
