/** The ledger as plain JavaScript in a directory of its own: for processes and threads of tests. */
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const project = fileURLToPath(new URL('../../', import.meta.url));

/** Strips the types of the ledger and of what it imports; returns the directory of the ledger. */
export async function compileLedger(target: string): Promise<string> {
  for (const room of ['gateway/model', 'gateway/ledger']) {
    await mkdir(join(target, room), { recursive: true });
    for (const name of await readdir(join(project, room))) {
      const source = await readFile(join(project, room, name), 'utf8');
      const script = ts.transpileModule(source, { fileName: name, compilerOptions }).outputText;
      await writeFile(join(target, room, name.replace(/\.ts$/, '.js')), script);
    }
  }
  await writeFile(join(target, 'package.json'), '{"type":"module"}');
  await symlink(join(project, 'node_modules'), join(target, 'node_modules'));
  return join(target, 'gateway/ledger');
}

const compilerOptions: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
};
