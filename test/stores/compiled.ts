import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const repository = resolve(import.meta.dirname, '../..');

/** Compiles one of our programs with what it imports, so that plain Node can run it as a process of its own. Gives its path. */
export async function compiled(program: string, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  const settings = {
    extends: join(repository, 'tsconfig.json'),
    // Types are checked elsewhere; here they would only make a test of processes depend on every other file.
    compilerOptions: { outDir: folder, rootDir: repository, noCheck: true, types: ['node'] },
    files: [join(repository, program)],
    include: [],
    exclude: [],
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(settings));
  const compiler = join(repository, 'node_modules/typescript/bin/tsc');
  await promisify(execFile)(process.execPath, [compiler, '-p', folder]);
  return join(folder, program.replace(/\.ts$/, '.js'));
}
