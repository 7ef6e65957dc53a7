/**
 * Results that are named numbers and nothing else: the guest hands out the numbers as they are and
 * the names in one text. To spell numbers takes its interpreter as long as the rest of the call.
 */

/** The JSON that the guest would have written, as a result is told: `v{"data":{…}}`. */
export interface NumberTexts {
  /**
   * `names` have a line feed between them, and were of this length when they left the guest.
   * Undefined where they do not stand for themselves: the guest is then asked for a text.
   */
  textOf(names: string, length: number, values: Float64Array): string | undefined;
}

/** What stands before each number. */
type Shape = readonly string[];

/** Scripts give few shapes; but one may make up names as it likes. */
const shapesMax = 1_024;
const namesLengthMax = 4_096;
/** Names of fields for which a result is refused. */
const refusedNames = ['__proto__', 'constructor', 'prototype'];

export function createNumberTexts(charactersMax: number): NumberTexts {
  const shapes = new Map<string, Shape | undefined>();

  function shapeOf(names: string): Shape | undefined {
    if (shapes.has(names)) return shapes.get(names);
    const shape = names.length <= namesLengthMax ? readShape(names) : undefined;
    if (shapes.size >= shapesMax) shapes.clear();
    shapes.set(names, shape);
    return shape;
  }

  return {
    textOf(names, length, values) {
      const shape = names.length === length ? shapeOf(names) : undefined;
      if (shape?.length !== values.length) return undefined;
      let text = 'v';
      for (const [place, before] of shape.entries()) text += before + (values[place] ?? 0);
      // A `v` more, two braces less.
      return text.length < charactersMax ? `${text}}}` : undefined;
    },
  };
}

/**
 * A name with a line feed makes too many of them, one with a zero byte ends the text early, half a
 * character becomes three.
 */
function readShape(names: string): Shape | undefined {
  const list = names.split('\n');
  if (list.some((name) => refusedNames.includes(name))) return undefined;
  return list.map((name, place) => `${place === 0 ? '{"data":{' : ','}${JSON.stringify(name)}:`);
}
