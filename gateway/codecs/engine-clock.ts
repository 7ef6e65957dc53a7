/**
 * The clock that codecs see. The engine has none of its own: it asks the Date of its thread. In the
 * sandbox's thread that one stands still at the time at which the uplink was received, in UTC, so
 * that an uplink derived again next year gives the same values on any machine.
 */

export interface EngineClock {
  /** Epoch milliseconds. */
  set(time: number): void;
  /** How often the time was asked for, ever. */
  reads(): number;
}

const fields = ['FullYear', 'Month', 'Date', 'Day', 'Hours', 'Minutes', 'Seconds'] as const;

/** For a thread that does nothing else: everything in it meets this clock. */
export function installEngineClock(): EngineClock {
  let now = 0;
  let reads = 0;
  Date.now = () => {
    reads += 1;
    return now;
  };
  for (const field of fields) Date.prototype[`get${field}`] = Date.prototype[`getUTC${field}`];
  Date.prototype.getTimezoneOffset = () => 0;
  return {
    set(time) {
      now = time;
    },
    reads: () => reads,
  };
}
