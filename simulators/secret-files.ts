/** Files with passwords and keys. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Files that their owner alone reads. Rejects when one is there already. */
export async function writeSecrets(
  directory: string,
  files: Readonly<Record<string, string>>,
): Promise<string[]> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const paths: string[] = [];
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, name);
    await writeFile(path, text, { mode: 0o600, flag: 'wx' });
    paths.push(path);
  }
  return paths;
}
