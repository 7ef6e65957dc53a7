/** Remembers what a pure function of a text gave: senders use few keys, in every message. */

/** Longer texts are no keys; remembering them would hold on to payloads. */
const textLengthMax = 64;

/**
 * The function itself for whoever calls it. When `entriesMax` texts are known it forgets them all,
 * so that a sender of ever new ones costs time but no memory.
 */
export function remembered<T>(compute: (text: string) => T, entriesMax: number) {
  const known = new Map<string, { readonly result: T }>();
  return (text: string): T => {
    const found = known.get(text);
    if (found !== undefined) return found.result;
    const result = compute(text);
    if (text.length > textLengthMax) return result;
    if (known.size >= entriesMax) known.clear();
    known.set(text, { result });
    return result;
  };
}
