/** Writes to one path of a local store as fast as it can: `hammer DIRECTORY KEY-FILE NAME TIMES`. Says each write once it is durable. */
import { openLocalStore } from '../../src/stores/local.js';

const [directory, key, name, times] = process.argv.slice(2) as [string, string, string, string];
const store = openLocalStore('local', { directory, key: { file: key } });
process.stdout.write('ready\n');
for (let count = 1; count <= Number(times); count += 1) {
  const operation = `nhi/hot/rotate/${name}-${count}`;
  await store.stage('hot/path', { operation, epoch: 1 }, () => Promise.resolve({ password: operation }));
  process.stdout.write(`${operation}\n`);
}
