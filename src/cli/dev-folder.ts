import { access, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { stateFolder } from './services.js';

/** Makes the keys that a first try signs with, where the operator's file names nobody; says for whom. */
export async function prepareKeys(configFile: string, person: string): Promise<string[]> {
  // Loaded here, since only this verb makes keys.
  const [{ loadConfig }, { readDirectory }, { makeDevelopmentKeys }] = await Promise.all([
    import('../config/load.js'),
    import('../trust/directory-file.js'),
    import('../trust/development-keys.js'),
  ]);
  if ((await readDirectory(configFile)).parties.length > 0) return [];
  const { stateDirectory, automation } = await loadConfig(configFile);
  const names = await makeDevelopmentKeys(stateDirectory, person, automation.name);
  const where = relative(dirname(configFile), join(stateDirectory, 'keys'));
  return names.map((name) => `made a key for ${name} in ${where}: it signs what ${name} asks and decides here`);
}

/** Makes what is missing for a first try, and says so: the store's key, mode 0600, and a smallest `tenure.yaml`. */
export async function prepare(configFile: string): Promise<string[]> {
  if (await exists(configFile)) return prepareStores(configFile);
  const folder = dirname(configFile);
  const key = join(stateFolder(folder), 'store.key');
  const made: string[] = [];
  // Loaded here, since only this verb encrypts anything.
  const { createLocalStoreKey } = await import('../stores/local.js');
  if (await createLocalStoreKey(key)) {
    made.push(
      `made ${relative(folder, key)}: the key of the local store; whoever has it can read every credential in it`,
    );
  }
  await writeFile(configFile, smallestConfig, { flag: 'wx' });
  made.push(`made ${relative(folder, configFile)}: name your targets in it`);
  return made;
}

/** Whoever brings their own `tenure.yaml` begins with empty stores too. Where a store holds something, its lost key is not made anew. */
async function prepareStores(configFile: string): Promise<string[]> {
  const [{ loadConfig }, { createLocalStoreKey, localStoreOptions }] = await Promise.all([
    import('../config/load.js'),
    import('../stores/local.js'),
  ]);
  const folder = dirname(configFile);
  const made: string[] = [];
  // What is wrong with the file, those say who need it.
  const stores = await loadConfig(configFile).then(
    (config) => config.stores,
    () => ({}),
  );
  for (const [name, options] of Object.entries(stores)) {
    const { success, data } = localStoreOptions.safeParse(options);
    if (!success || !('file' in data.key) || (await exists(resolve(folder, data.directory)))) continue;
    if (await createLocalStoreKey(resolve(folder, data.key.file)))
      made.push(`made ${data.key.file}: the key of store ${name}; whoever has it can read every credential in it`);
  }
  return made;
}

const smallestConfig = `# Where Tenure finds things. What each identity needs stands in manifests.
stateDirectory: .tenure

stores:
  local: { type: local, directory: .tenure/store, key: { file: .tenure/store.key } }

# A target is a system that accepts credentials; docs/targets/ has a page for each type.
targets: {}
`;

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
