/** Texts with holes: `{topic:parameter}`, `{./name}_error`, `input_{position}`. */
import { inside, type Read, report, type Scope } from './context.ts';
import { compileOpenSource } from './source.ts';

/** The whole text; a hole that takes more is no name. */
const filledLengthMax = 128;

export interface Template {
  /** The text itself, when it has no holes. */
  readonly constant: string | undefined;
  /** Undefined when a hole finds nothing plain to put in. */
  readonly fill: Read<string>;
}

export function compileTemplate(text: string, scope: Scope): Template {
  const pieces = text.split(/\{([^{}]*)\}/);
  if (pieces.length === 1) {
    if (/[{}]/.test(text)) report(scope, `${text} has a bracket without its other one`);
    return { constant: text, fill: () => text };
  }
  const reads = pieces.map((piece, at) => (at % 2 === 0 ? piece : compileHole(piece, scope)));
  return { constant: undefined, fill: (context) => filled(reads, context) };
}

/** The template of an optional key. */
export function compileOptional(
  text: string | undefined,
  scope: Scope,
  key: string,
): Template | undefined {
  return text === undefined ? undefined : compileTemplate(text, inside(scope, key));
}

/** People count inputs and wires from 1. */
function compileHole(hole: string, scope: Scope): Read<unknown> {
  return hole === 'position' ? ({ index }) => index + 1 : compileOpenSource(hole, scope);
}

function filled(
  pieces: readonly (string | Read<unknown>)[],
  context: Parameters<Read<unknown>>[0],
): string | undefined {
  let text = '';
  for (const piece of pieces) {
    const value = typeof piece === 'string' ? piece : piece(context);
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      return undefined;
    }
    text += value;
    if (text.length > filledLengthMax) return undefined;
  }
  return text === '' ? undefined : text;
}
