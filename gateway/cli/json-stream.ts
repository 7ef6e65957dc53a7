/**
 * JSON objects one after another, in a line each or not, as network servers' tools write devices.
 */

/** Undefined where the text is not such a stream, whole. */
export function parseObjects(text: string): readonly unknown[] | undefined {
  try {
    return splitObjects(text)?.map((object): unknown => JSON.parse(object));
  } catch {
    return undefined;
  }
}

/** What stands in an object is not looked at. */
function splitObjects(text: string): readonly string[] | undefined {
  const objects: string[] = [];
  let depth = 0;
  let from = 0;
  // Strings are stepped over as a whole: what they hold opens and closes nothing.
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]|\S/g)) {
    if (token === '{') {
      if (depth === 0) from = index;
      depth += 1;
    } else if (token === '}') {
      depth -= 1;
      if (depth < 0) return undefined;
      if (depth === 0) objects.push(text.slice(from, index + 1));
    } else if (depth === 0) return undefined;
  }
  return depth === 0 && objects.length > 0 ? objects : undefined;
}
