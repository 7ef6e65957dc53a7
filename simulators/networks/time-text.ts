/** Times as network servers write them. */

const minuteMs = 60_000;
const secondMs = 1_000;
const seconds = Array.from({ length: 60 }, (_, second) => String(second).padStart(2, '0'));
const fractions = Array.from({ length: secondMs }, (_, ms) => `.${String(ms).padStart(3, '0')}`);
/** Messages of one moment are made one after the other, so the last minute is nearly always it. */
const last = { minute: Number.NaN, text: '' };

/** `2026-01-31T08:05:00.250`: UTC, without the zone, which each network writes in its own way. */
export function timeText(time: number): string {
  const minute = Math.floor(time / minuteMs);
  if (minute !== last.minute) {
    last.text = new Date(minute * minuteMs).toISOString().slice(0, 17);
    last.minute = minute;
  }
  const rest = Math.floor(time) - minute * minuteMs;
  const second = Math.floor(rest / secondMs);
  return `${last.text}${seconds[second]}${fractions[rest - second * secondMs]}`;
}
