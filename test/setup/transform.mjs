/** A Jest transformer: strips the types with the project's own compiler, keeping source maps for coverage. */
import { createHash } from 'node:crypto';
import ts from 'typescript';

const options = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  inlineSourceMap: true,
  inlineSources: true,
};

export default {
  getCacheKey: (source, path) =>
    createHash('sha256').update(ts.version).update(path).update(source).digest('hex'),
  process: (source, path) => ({
    code: ts.transpileModule(source, { compilerOptions: options, fileName: path }).outputText,
  }),
};
