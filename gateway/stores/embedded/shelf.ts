/** Where a device's rows stand in a sorted run of the embedded store. */

/**
 * FNV-1a over the UTF-16 units of a device id, 32 bits. It is written to disk, so it must give the
 * same number for ever; that it is not DuckDB's own hash() keeps files readable by later versions.
 */
export function shelfOf(device: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < device.length; i += 1) {
    hash = Math.imul(hash ^ device.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}
