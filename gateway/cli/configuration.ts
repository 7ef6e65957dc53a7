/**
 * Reads the configuration for a command, or says everything that is wrong with it and ends with 2.
 */
import { formatProblem, loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { crossCheck } from '../cross-check.ts';

export function readConfiguration(
  file: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): Config | undefined {
  const loaded = loadConfig(file, environment);
  if (!loaded.ok) {
    refuse(loaded.problems.map(formatProblem));
    return undefined;
  }
  const fatal = crossCheck(loaded.config).filter(({ isFatal }) => isFatal);
  if (fatal.length === 0) return loaded.config;
  refuse(fatal.map(({ path, detail }) => `${file ?? 'defaults'}: ${path}: ${detail}`));
  return undefined;
}

function refuse(lines: readonly string[]): void {
  const count = lines.length === 1 ? '1 problem' : `${lines.length} problems`;
  process.stderr.write(`fieldgate: the configuration has ${count}:\n`);
  for (const line of lines) process.stderr.write(`  ${line}\n`);
  process.exitCode = 2;
}
