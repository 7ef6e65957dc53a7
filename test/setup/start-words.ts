/** How the gateway is started, by `npm start`: the variables and the flags that it gives to Node. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as z from 'zod';

export interface StartWords {
  readonly environment: Readonly<Record<string, string>>;
  readonly flags: readonly string[];
}

const packageFile = z.object({ scripts: z.object({ start: z.string() }) });

export function startWords(): StartWords {
  const { scripts } = packageFile.parse(JSON.parse(readFileSync('package.json', 'utf8')));
  return readStartWords(scripts.start);
}

/** Of a line such as `NAME=value node --flag dist/program.js`. */
export function readStartWords(line: string): StartWords {
  const words = line.split(' ');
  const node = words.indexOf('node');
  assert.notEqual(node, -1, 'a line that starts Node');
  const variables = words.slice(0, node).filter((word) => /^[A-Z_]+=/.test(word));
  const environment = Object.fromEntries(
    variables.map((variable) => {
      const [name = '', ...value] = variable.split('=');
      return [name, value.join('=')];
    }),
  );
  return { environment, flags: words.slice(node + 1).filter((word) => word.startsWith('--')) };
}
