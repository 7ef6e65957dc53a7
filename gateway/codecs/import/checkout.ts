/** Files of a user's checkout of a device repository: none outside of it is read, and none large. */
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { parse } from 'yaml';
import type { DeviceModel } from '../../model/device-model.ts';

/** One codec as a repository describes it. */
export interface FoundCodec {
  /** `<vendor>.<codec>` in the characters of an id. */
  readonly id: string;
  readonly title: string;
  /** From the root of the checkout. */
  readonly script: string;
  readonly examples: readonly unknown[];
}

export interface FoundVendor {
  readonly id: string;
  readonly name: string;
  readonly codecs: readonly FoundCodec[];
  readonly models: readonly DeviceModel[];
}

export interface Checkout {
  readonly root: string;
  /** Names in a folder, in order; none where there is no such folder. */
  names(folder: string): readonly string[];
  /** Folders in a folder, without those of tools. */
  folders(folder: string): readonly string[];
  has(path: string): boolean;
  /** Throws with a sentence when there is no such file, or it is large or outside. */
  text(path: string): string;
  /** YAML or JSON. */
  document(path: string): unknown;
}

const fileBytesMax = 4_194_304;

export function openCheckout(directory: string): Checkout {
  const root = realpathSync(resolve(directory));

  function inside(path: string): string {
    const full = resolve(root, path);
    if (statSync(full, { throwIfNoEntry: false }) === undefined)
      throw new Error(`${path} is not there`);
    const real = realpathSync(full);
    if (relative(root, real).split(sep)[0] === '..') throw new Error(`${path} lies outside`);
    return real;
  }

  function text(path: string): string {
    const real = inside(path);
    const found = statSync(real);
    if (!found.isFile()) throw new Error(`${path} is no file`);
    if (found.size > fileBytesMax) throw new Error(`${path} is larger than ${fileBytesMax} bytes`);
    return readFileSync(real, 'utf8');
  }

  const isThere = (path: string) =>
    statSync(join(root, path), { throwIfNoEntry: false }) !== undefined;

  return {
    root,
    text,
    names: (folder) => (isThere(folder) ? readdirSync(inside(folder)).sort() : []),
    folders(folder) {
      const found = readdirSync(inside(folder), { withFileTypes: true });
      const own = found.filter((one) => one.isDirectory() && !/^\.|^node_modules$/.test(one.name));
      return own.map(({ name }) => name).sort();
    },
    has: isThere,
    document: (path) => parse(text(path)),
  };
}

const idLengthMax = 64;

export function codecIdOf(vendor: string, codec: string): string {
  const name = codec.replace(/\.js$/, '');
  const joined = `${vendor}.${name}`.replace(/[^A-Za-z0-9_.-]+/g, '-');
  return joined.replace(/^[^A-Za-z0-9]+/, '').slice(0, idLengthMax);
}

/** One line, without control characters: it is shown in a terminal. */
export function sentenceOf(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return line.replace(/\p{Cc}/gu, ' ');
}
