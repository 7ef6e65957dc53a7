/** A file of settings that the words of a command name, in YAML or JSON. */
import { parse } from 'yaml';
import { readInputText } from './input-file.ts';

export function readInputYaml(path: string): unknown {
  const text = readInputText(path);
  try {
    return parse(text, { logLevel: 'error' });
  } catch (error) {
    const [sentence] = error instanceof Error ? error.message.split('\n') : [];
    throw new Error(`${path}: is neither YAML nor JSON: ${sentence?.replace(/:$/, '')}`);
  }
}
