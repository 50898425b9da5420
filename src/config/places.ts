import { dirname, resolve } from 'node:path';
import { TenureError } from '../domain/errors.js';
import { formatProblem } from '../manifest/problem.js';
import { readYamlFile } from '../manifest/read.js';
import { checkFields } from '../manifest/shape.js';
import { configFields } from './schema.js';
import type { TenureConfig } from './types.js';

/**
 * Where the state lies, whatever else stands in the operator's file: nobody should have to put a target right, or wait for the
 * connectors to load, before they can sign an emergency.
 */
export async function loadPlaces(file: string): Promise<Pick<TenureConfig, 'file' | 'stateDirectory'>> {
  const { documents, problems } = await readYamlFile(file);
  const [document] = documents;
  const written = document?.value ?? {};
  const { stateDirectory } = configFields;
  const own = Object.hasOwn(written, 'stateDirectory')
    ? { stateDirectory: (written as Record<string, unknown>)['stateDirectory'] }
    : {};
  const checked = document ? checkFields(document, [], own, { stateDirectory }) : { fields: {}, problems: [] };
  const found = [...problems, ...checked.problems];
  if (found.length > 0)
    throw new TenureError('InvalidRequest', `${file} cannot be read: ${found.map(formatProblem).join('\n')}`, { file });
  return {
    file,
    stateDirectory: resolve(dirname(file), checked.fields.stateDirectory ?? stateDirectory.parse(undefined)),
  };
}
