/** Configuration files for the tests of loading, each in a folder that is gone afterwards. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import { type ConfigProblem, type LoadedConfig, loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export function fileOf(text: string, name = 'gateway.yaml'): string {
  const folder = mkdtempSync(join(tmpdir(), 'fieldgate-config-'));
  folders.push(folder);
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** Loads the text with these variables, and no others, in the environment. */
export function loaded(text: string, environment: Record<string, string> = {}): LoadedConfig {
  return loadConfig(fileOf(text), environment);
}

export function configOf(result: LoadedConfig): Config {
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.config;
}

export function problemsOf(result: LoadedConfig): readonly ConfigProblem[] {
  if (result.ok) throw new Error('it is a sound configuration');
  return result.problems;
}

/** Where each problem stands, without the folder: `3 http.port`. */
export function placesOf(result: LoadedConfig): string[] {
  return problemsOf(result).map(({ at, path }) => `${at.replace(/^.*yaml:/, '')} ${path}`);
}
