/** google.protobuf.Timestamp as epoch milliseconds. */
import type { WireReader } from './wire-reader.ts';

/** The years 1 to 9999, which is what the type is defined for. */
const secondsMin = -62_135_596_800;
const secondsMax = 253_402_300_799;
const nanosMax = 999_999_999;

/** Cut to milliseconds, as the JSON form is. */
export function readTimestamp(reader: WireReader, name: string): number {
  let seconds = 0;
  let nanos = 0;
  const outer = reader.enter(name);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) seconds = reader.int64(name);
    else if (field === 2) nanos = reader.int32(name);
    else reader.skip();
  }
  reader.leave(outer);
  if (seconds < secondsMin || seconds > secondsMax || nanos < 0 || nanos > nanosMax) {
    reader.complain(name, 'a time');
    return 0;
  }
  return seconds * 1_000 + Math.floor(nanos / 1_000_000);
}
