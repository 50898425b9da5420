import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalStoreKey, openLocalStore } from '../../src/stores/local.js';
import { conformanceStore } from '../conformance/store.js';

conformanceStore({
  name: 'local',
  async setUp() {
    const folder = await mkdtemp(join(tmpdir(), 'tenure-store-'));
    const options = { directory: join(folder, 'store'), key: { file: join(folder, 'store.key') } };
    await createLocalStoreKey(options.key.file);
    return {
      store: openLocalStore('local', options),
      again: openLocalStore('local', options),
      close: () => rm(folder, { recursive: true }),
    };
  },
});
