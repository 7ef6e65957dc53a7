/** Rooms of the gateway as plain JavaScript, for processes and threads of tests. */
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const project = fileURLToPath(new URL('../../', import.meta.url));

/** Strips the types of the ledger and of what it imports; returns the directory of the ledger. */
export async function compileLedger(target: string): Promise<string> {
  return join(await compileRooms(target, ['model', 'ledger']), 'ledger');
}

/** The same for any rooms that import none but these; returns the directory of the gateway. */
export async function compileRooms(target: string, rooms: readonly string[]): Promise<string> {
  for (const room of rooms.map((name) => `gateway/${name}`)) {
    await mkdir(join(target, room), { recursive: true });
    for (const name of await readdir(join(project, room))) {
      const source = await readFile(join(project, room, name), 'utf8');
      const script = ts.transpileModule(source, { fileName: name, compilerOptions }).outputText;
      await writeFile(join(target, room, name.replace(/\.ts$/, '.js')), script);
    }
  }
  await writeFile(join(target, 'package.json'), '{"type":"module"}');
  await symlink(join(project, 'node_modules'), join(target, 'node_modules'));
  return join(target, 'gateway');
}

const compilerOptions: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
};
