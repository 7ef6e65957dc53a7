import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { adapters } from '../gateway/adapters/registry.ts';
import { faultSentences } from '../gateway/model/fault.ts';

const root = new URL('../', import.meta.url);
const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
  .split('\0')
  .filter((path) => path !== '');
const textOf = (path: string) => readFileSync(new URL(path, root), 'utf8');
const files = tracked
  .filter((path) => /\.tsx?$/.test(path) && !path.startsWith('test/fixtures/'))
  .map((path) => ({ path, text: textOf(path) }));
const sources = files.map(({ path, text }) => ({
  path,
  text,
  tree: ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true),
}));

/** `path:line` of every node that `find` is true for. */
function places(find: (node: ts.Node, path: string) => boolean): string[] {
  return sources.flatMap(({ path, tree }) => {
    const found: string[] = [];
    const visit = (node: ts.Node): void => {
      if (find(node, path)) found.push(`${path}:${lineOf(tree, node.getStart(tree))}`);
      ts.forEachChild(node, visit);
    };
    visit(tree);
    return found;
  });
}

function lineOf(tree: ts.SourceFile, position: number): number {
  return tree.getLineAndCharacterOfPosition(position).line + 1;
}

/** `path:line` of every line that `find` is true for. */
function lines(find: (line: string, path: string) => boolean): string[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => (find(line, path) ? [`${path}:${index + 1}`] : [])),
  );
}

const isTest = (path: string) => path.endsWith('.test.ts');

describe('Shape', () => {
  it('keeps every file within 400 lines', () => {
    const long = files.filter(({ text }) => text.trimEnd().split('\n').length > 400);
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  it('keeps every function within 70 lines, not counting the functions inside it', () => {
    const long = places(
      (node, path) =>
        ts.isFunctionLike(node) && 'body' in node && !isSuite(node, path) && ownLines(node) > 70,
    );
    expect(long).toEqual([]);
  });

  it('keeps every line within 100 columns, but for a text that cannot be broken', () => {
    const unbroken = /(['"`/]).{40,}\1/;
    expect(lines((line) => [...line].length > 100 && !unbroken.test(line))).toEqual([]);
  });

  it('begins every file with a comment, but a test with what it describes', () => {
    const bare = files.filter(
      ({ path, text }) => !isTest(path) && !/^(#!.*\n)?(\/\*\*|\/\/)/.test(text),
    );
    expect(bare.map(({ path }) => path)).toEqual([]);
  });
});

/** What is left of a function when those inside it, each measured by itself, are taken away. */
function ownLines(node: ts.Node): number {
  const tree = node.getSourceFile();
  const length = (of: ts.Node) => lineOf(tree, of.end) - lineOf(tree, of.getStart(tree)) + 1;
  let inner = 0;
  const visit = (child: ts.Node): void => {
    if (ts.isFunctionLike(child)) inner += length(child) - 1;
    else ts.forEachChild(child, visit);
  };
  ts.forEachChild(node, visit);
  return length(node) - inner;
}

/** The callback of `describe` is a list of behaviours, not a function to read in one go. */
function isSuite(node: ts.Node, path: string): boolean {
  const call = node.parent;
  if (!path.startsWith('test/') || !ts.isCallExpression(call)) return false;
  return /^describe\b/.test(call.expression.getText());
}

describe('Names', () => {
  it('are nouns in kebab-case for every file', () => {
    const odd = files.filter(
      ({ path }) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.(test|config|d))?\.tsx?$/.test(basename(path)),
    );
    expect(odd.map(({ path }) => path)).toEqual([]);
  });

  it('are none of those that stand for no noun', () => {
    const vague = /^(utils?|helpers?|common|misc|types|index|shared)(\.test)?\.tsx?$/;
    expect(files.map(({ path }) => path).filter((path) => vague.test(basename(path)))).toEqual([]);
  });
});

describe('Types', () => {
  it('are never any', () => {
    expect(places((node) => node.kind === ts.SyntaxKind.AnyKeyword)).toEqual([]);
  });

  it('are asserted nowhere but in the bridge to lora-packet', () => {
    const asserted = places(
      (node, path) =>
        (ts.isAsExpression(node) || ts.isTypeAssertionExpression(node)) &&
        !ts.isConstTypeReference(node.type) &&
        path !== 'gateway/lorawan/frame.ts',
    );
    expect(asserted).toEqual([]);
  });

  it('are asserted once there', () => {
    const bridge = places(
      (node, path) =>
        ts.isAsExpression(node) &&
        !ts.isConstTypeReference(node.type) &&
        path === 'gateway/lorawan/frame.ts',
    );
    expect(bridge.length).toBeLessThanOrEqual(1);
  });

  it('are never freed of undefined by an exclamation mark', () => {
    expect(places((node) => ts.isNonNullExpression(node))).toEqual([]);
  });

  it('know neither enums, nor inheritance, nor parameter properties, nor default exports', () => {
    const found = places(
      (node, path) =>
        ts.isEnumDeclaration(node) ||
        (ts.isHeritageClause(node) && isInheritance(node)) ||
        (ts.isParameter(node) && ts.isParameterPropertyDeclaration(node, node.parent)) ||
        (isDefaultExport(node) && !path.endsWith('.config.ts')),
    );
    expect(found).toEqual([]);
  });

  it('come through no barrel', () => {
    expect(places((node) => ts.isExportDeclaration(node) && !node.exportClause)).toEqual([]);
  });
});

/** Errors alone are made by extending: that is how the language has them. */
function isInheritance(clause: ts.HeritageClause): boolean {
  if (clause.token !== ts.SyntaxKind.ExtendsKeyword || !ts.isClassLike(clause.parent)) return false;
  return !clause.types.every(({ expression }) => expression.getText() === 'Error');
}

function isDefaultExport(node: ts.Node): boolean {
  if (ts.isExportAssignment(node)) return true;
  if (!ts.canHaveModifiers(node)) return false;
  const kinds = (ts.getModifiers(node) ?? []).map(({ kind }) => kind);
  return kinds.includes(ts.SyntaxKind.DefaultKeyword);
}

describe('Foreign libraries', () => {
  it.each([
    ['lora-packet', 'gateway/lorawan/frame.ts'],
    ['aedes', 'gateway/transports/mqtt/broker.ts'],
    ['influx', 'gateway/stores/influx/'],
    ['@duckdb/node-api', 'gateway/stores/embedded/'],
  ])('%s is imported in %s alone', (name, place) => {
    const importers = places(
      (node, path) =>
        ts.isStringLiteral(node) &&
        node.text === name &&
        isImporting(node.parent) &&
        !path.startsWith('test/') &&
        !path.startsWith('bench/'),
    );
    expect(importers.length).toBeGreaterThan(0);
    expect(importers.filter((at) => !at.startsWith(place))).toEqual([]);
  });
});

/** An import of values, or a `require`; types alone cost nothing and bind nobody. */
function isImporting(node: ts.Node): boolean {
  if (ts.isCallExpression(node))
    return /(equire\(.*\)|require|import)$/.test(node.expression.getText());
  if (!ts.isImportDeclaration(node)) return false;
  return node.importClause?.phaseModifier !== ts.SyntaxKind.TypeKeyword;
}

describe('Words', () => {
  it('give every TODO its issue', () => {
    const word = ['TO', 'DO'].join('');
    const open = new RegExp(`\\b(${word}|FIXME|XXX)\\b(?!\\(#\\d+\\))`);
    expect(lines((line, path) => path !== 'test/tidy.test.ts' && open.test(line))).toEqual([]);
  });

  it('name no path of one machine', () => {
    const paths = new RegExp(['', '(work|root|home)', ''].join('/'));
    expect(lines((line, path) => path !== 'test/tidy.test.ts' && paths.test(line))).toEqual([]);
  });

  it('say nothing of how the project was made', () => {
    const words = ['AI', 'LLM', 'Cla' + 'ude', 'G' + 'PT', 'Copi' + 'lot', 'Open' + 'AI'];
    const made = new RegExp(`\\b(${words.join('|')})\\b|\\bgenerated by\\b|\\bassistant\\b`);
    expect(lines((line, path) => path !== 'test/tidy.test.ts' && made.test(line))).toEqual([]);
  });
});

describe('The lock file', () => {
  it('names no registry', () => {
    expect(textOf('package-lock.json')).not.toContain('"resolved"');
  });
});

describe('The README', () => {
  const readme = () => (tracked.includes('README.md') ? textOf('README.md') : '');

  it('has every fault with its sentence in the table under "Faults", and no other', () => {
    const [, section = ''] = readme().split(/^#+ Faults.*$/m);
    const table = section.split(/^#/m)[0] ?? '';
    const rows = [...table.matchAll(/^\| *`([A-Z_]+)` *\| *(.*?) *\|/gm)];
    expect(Object.fromEntries(rows.map(([, code, sentence]) => [code, sentence]))).toEqual(
      faultSentences,
    );
  });

  it.each(adapters.map(({ name }) => name))('names the adapter %s', (name) => {
    expect(readme()).toContain(name);
  });
});

describe('Every codec', () => {
  const folders = readdirSync(new URL('decoders/', root), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'vocabulary')
    .map(({ name }) => name);

  it.each(folders)('%s has its code, its examples and its page', (name) => {
    const wanted = ['README.md', 'codec.ts', 'examples.json'];
    expect(tracked).toEqual(
      expect.arrayContaining(wanted.map((file) => `decoders/${name}/${file}`)),
    );
  });
});
