/** Numbers series as they are met, so that a reading travels between threads without its names. */
import type { Reading } from '../model/reading.ts';
import type { ReadingRow } from '../model/reading-row.ts';
import type { SeriesTuple } from './worker-messages.ts';

export interface LiveNumbers {
  /** Rows of the readings, and the series that have not been named before. */
  number(readings: readonly Reading[]): { series: SeriesTuple[]; rows: ReadingRow[] };
}

export function createLiveNumbers(): LiveNumbers {
  const byDevice = new Map<string, Map<string, number>>();
  let count = 0;
  /** The readings of an uplink follow each other. */
  let last: { readonly device: string; readonly numbers: Map<string, number> } | undefined;

  function numbersOf(device: string): Map<string, number> {
    if (last?.device === device) return last.numbers;
    let numbers = byDevice.get(device);
    if (numbers === undefined) {
      numbers = new Map();
      byDevice.set(device, numbers);
    }
    last = { device, numbers };
    return numbers;
  }

  return {
    number(readings) {
      const series: SeriesTuple[] = [];
      const rows = readings.map((reading): ReadingRow => {
        const { device, quantity, channel = '', unit, area = '' } = reading;
        const ofDevice = numbersOf(device);
        const name = channel === '' ? quantity : `${quantity}\n${channel}`;
        let index = ofDevice.get(name);
        if (index === undefined) {
          index = count;
          count += 1;
          ofDevice.set(name, index);
          series.push([device, quantity, channel, unit, area]);
        }
        const { time, value, quality, vouchedBy, receivedAt, seq } = reading;
        return [index, time, value, quality, vouchedBy, receivedAt, seq];
      });
      return { series, rows };
    },
  };
}
