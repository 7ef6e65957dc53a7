/**
 * The points of one chart: history from HTTP and live rows in one list by time, each time once,
 * bounded in age and number.
 */
import type { QualityFlag } from '../protocol.ts';
import { gapLimitMs, intervalDefaultMs, intervalMinMs } from './freshness.ts';

export interface Point {
  /** Epoch milliseconds. */
  readonly time: number;
  readonly value: number;
  readonly quality: QualityFlag;
}

export const windowMs = 24 * 3_600_000;
/** Points kept for one chart; a day at one every five seconds. */
export const pointsMax = 17_280;

/** Joins two lists, of which neither need be sorted; of two points at one time the later wins. */
export function mergePoints(
  known: readonly Point[],
  added: readonly Point[],
  now: number,
): Point[] {
  const byTime = new Map<number, Point>();
  for (const point of known) byTime.set(point.time, point);
  for (const point of added) byTime.set(point.time, point);
  return [...byTime.values()]
    .filter((point) => point.time > now - windowMs)
    .sort((left, right) => left.time - right.time)
    .slice(-pointsMax);
}

const neighboursMax = 5;
/** Fewer say nothing of a rhythm. */
const neighboursMin = 3;

/** The places of the points before which too long a time has passed for this series' rhythm. */
function gapPlaces(points: readonly Point[]): ReadonlySet<number> {
  const distances = points.slice(1).map((point, at) => point.time - (points[at]?.time ?? 0));
  const usual = distances.length < 2 ? intervalDefaultMs : medianOf(distances);
  const limit = gapLimitMs(Math.max(intervalMinMs, usual));
  const places = new Set<number>();
  for (const [at, distance] of distances.entries()) {
    if (distance > limit && distance > limitAt(distances, at)) places.add(at + 1);
  }
  return places;
}

/**
 * A sensor that now sends more often than it did would make gaps of all that it sent before, if
 * the day had one rhythm: so the slower one of just before and just after counts.
 */
function limitAt(distances: readonly number[], at: number): number {
  const before = distances.slice(Math.max(0, at - neighboursMax), at);
  const after = distances.slice(at + 1, at + 1 + neighboursMax);
  const rhythms = [before, after].filter(({ length }) => length >= neighboursMin).map(medianOf);
  return gapLimitMs(Math.max(intervalMinMs, ...rhythms));
}

function medianOf(distances: readonly number[]): number {
  const sorted = [...distances].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? intervalDefaultMs;
}

interface Gap {
  readonly from: number;
  readonly to: number;
}

export function gapsOf(points: readonly Point[]): Gap[] {
  const gaps: Gap[] = [];
  for (const at of gapPlaces(points)) {
    const [before, after] = [points[at - 1], points[at]];
    if (before !== undefined && after !== undefined)
      gaps.push({ from: before.time, to: after.time });
  }
  return gaps;
}

/** What the chart draws: a line that is broken in gaps, and marks beside it. */
export interface ChartColumns {
  /** Seconds, as uPlot counts. */
  readonly times: number[];
  /** Null breaks the line: in a gap, and at a value that failed its checks or is missing. */
  readonly line: (number | null)[];
  readonly suspect: (number | null)[];
  readonly fail: (number | null)[];
  readonly missing: (number | null)[];
  /** The point that each column stands for; -1 in a gap. */
  readonly pointAt: number[];
}

const failed: QualityFlag = 4;
const missing: QualityFlag = 9;
const suspected: QualityFlag = 3;

/** A missing value is not a bad one: the number stands where none came. Neither counts. */
const isCounted = ({ quality }: Point) => quality !== failed && quality !== missing;

export function chartColumns(points: readonly Point[]): ChartColumns {
  const columns: ChartColumns = {
    times: [],
    line: [],
    suspect: [],
    fail: [],
    missing: [],
    pointAt: [],
  };
  const gaps = gapPlaces(points);
  for (const [at, point] of points.entries()) {
    const before = points[at - 1];
    if (before !== undefined && gaps.has(at)) {
      pushColumn(columns, { time: (before.time + point.time) / 2, at: -1 });
    }
    pushColumn(columns, { time: point.time, at, point });
  }
  return columns;
}

function pushColumn(
  columns: ChartColumns,
  column: { time: number; at: number; point?: Point },
): void {
  const { point } = column;
  const value = point?.value ?? null;
  const valueIf = (quality: QualityFlag) => (point?.quality === quality ? value : null);
  columns.times.push(column.time / 1_000);
  columns.line.push(point !== undefined && isCounted(point) ? value : null);
  columns.suspect.push(valueIf(suspected));
  columns.fail.push(valueIf(failed));
  columns.missing.push(valueIf(missing));
  columns.pointAt.push(column.at);
}

interface Summary {
  /** Points that count: all but the failed and the missing. */
  readonly count: number;
  readonly last: Point | undefined;
  readonly min: Point | undefined;
  readonly max: Point | undefined;
  readonly mean: number;
  readonly gaps: number;
  readonly gapsMs: number;
  readonly suspect: number;
  readonly fail: number;
  readonly missing: number;
}

export function summarise(points: readonly Point[]): Summary {
  const counted = points.filter(isCounted);
  const countOf = (flag: QualityFlag) => points.filter(({ quality }) => quality === flag).length;
  const gaps = gapsOf(points);
  let min: Point | undefined;
  let max: Point | undefined;
  let sum = 0;
  for (const point of counted) {
    if (min === undefined || point.value < min.value) min = point;
    if (max === undefined || point.value > max.value) max = point;
    sum += point.value;
  }
  return {
    count: counted.length,
    last: counted.at(-1),
    min,
    max,
    mean: counted.length === 0 ? 0 : sum / counted.length,
    gaps: gaps.length,
    gapsMs: gaps.reduce((total, gap) => total + gap.to - gap.from, 0),
    suspect: countOf(suspected),
    fail: countOf(failed),
    missing: countOf(missing),
  };
}
