import { open, stat } from 'node:fs/promises';
import type { Problem } from './problem.js';
import { readYaml, yamlLimits } from './yaml.js';
import type { YamlDocument } from './yaml.js';

/** Reads one YAML file from disk: bounded, UTF-8 only. What is wrong with it is in `problems`. */
export async function readYamlFile(file: string): Promise<{ documents: YamlDocument[]; problems: Problem[] }> {
  const read = await readYamlText(file);
  return 'problem' in read ? { documents: [], problems: [read.problem] } : readYaml(file, read.text);
}

/** The text of such a file, or what keeps it from being read. */
export async function readYamlText(file: string): Promise<{ readonly text: string } | { readonly problem: Problem }> {
  const bytes = await readBounded(file);
  if (typeof bytes === 'string') return refused(file, bytes, 'Check the path and its permissions.');
  if (bytes.length > yamlLimits.bytes)
    return refused(file, `larger than ${yamlLimits.bytes} bytes`, 'Split it into several files.');
  const text = decode(bytes);
  return text === undefined ? refused(file, 'not UTF-8 text', 'Save the file as UTF-8.') : { text };
}

async function readBounded(file: string): Promise<Buffer | string> {
  try {
    // Asked before opening: opening a named pipe waits for a writer.
    const found = await stat(file);
    if (!found.isFile()) return 'not a regular file';
    const handle = await open(file, 'r');
    try {
      const buffer = Buffer.alloc(Math.min(found.size, yamlLimits.bytes) + 1);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code ?? 'unknown reason'})`;
  }
}

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function refused(file: string, problem: string, fix: string): { readonly problem: Problem } {
  return { problem: { file, line: 1, column: 1, path: '', problem, fix } };
}
