/** Draws one series with uPlot: the line broken in gaps, doubtful values as marks of their own. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Formatter } from '../format/formatter.ts';
import { type ChartColumns, windowMs } from '../history.ts';

export interface Plot {
  /** `now` is the right edge, epoch milliseconds. */
  show(columns: ChartColumns, now: number): void;
  /** Puts the cursor on a column, or takes it away. */
  point(column: number | undefined): void;
  resize(width: number): void;
  close(): void;
}

interface PlotOptions {
  readonly into: HTMLElement;
  readonly width: number;
  readonly format: Formatter;
  /** The column under the pointer; undefined when it leaves. */
  onPoint(column: number | undefined): void;
}

const height = 190;
/** Half the size of a mark, CSS pixels. */
const markSize = 4.5;

interface Inks {
  line: string;
  text: string;
  grid: string;
  mark: string;
  font: string;
}

function inksOf(element: HTMLElement): Inks {
  const style = getComputedStyle(element);
  const ink = (name: string) => style.getPropertyValue(name).trim();
  return {
    line: ink('--series'),
    text: ink('--ink-soft'),
    grid: ink('--grid'),
    mark: ink('--alert'),
    font: `12px ${style.fontFamily}`,
  };
}

type Shape = (context: CanvasRenderingContext2D, x: number, y: number, size: number) => void;

const diamond: Shape = (context, x, y, size) => {
  context.moveTo(x, y - size);
  context.lineTo(x + size, y);
  context.lineTo(x, y + size);
  context.lineTo(x - size, y);
  context.closePath();
};

const cross: Shape = (context, x, y, size) => {
  context.moveTo(x - size, y - size);
  context.lineTo(x + size, y + size);
  context.moveTo(x + size, y - size);
  context.lineTo(x - size, y + size);
};

const ring: Shape = (context, x, y, size) => {
  context.moveTo(x + size, y);
  context.arc(x, y, size, 0, 2 * Math.PI);
};

/** A failed value may lie far outside: its mark then stands at the edge. */
function drawMarks(u: uPlot, options: { series: number; shape: Shape; ink: string }): void {
  const { ctx, bbox } = u;
  const size = markSize * devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  for (const [at, value] of (u.data[options.series] ?? []).entries()) {
    const time = u.data[0]?.[at];
    if (value === null || value === undefined || time === undefined || time === null) continue;
    const x = u.valToPos(time, 'x', true);
    const y = u.valToPos(value, 'y', true);
    const top = bbox.top + size;
    const bottom = bbox.top + bbox.height - size;
    options.shape(ctx, x, Math.min(bottom, Math.max(top, y)), size);
  }
  ctx.strokeStyle = options.ink;
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.stroke();
  ctx.restore();
}

/** A value between two gaps has no line; without a dot nobody would see it. */
function drawLonely(u: uPlot, ink: string): void {
  const { ctx } = u;
  const line = u.data[1] ?? [];
  ctx.save();
  ctx.beginPath();
  for (const [at, value] of line.entries()) {
    const time = u.data[0]?.[at];
    const isLonely = (line[at - 1] ?? null) === null && (line[at + 1] ?? null) === null;
    if (!isLonely || value === null || value === undefined || !time) continue;
    const [x, y] = [u.valToPos(time, 'x', true), u.valToPos(value, 'y', true)];
    ctx.moveTo(x, y);
    ctx.arc(x, y, 2.5 * devicePixelRatio, 0, 2 * Math.PI);
  }
  ctx.fillStyle = ink;
  ctx.fill();
  ctx.restore();
}

function axesOf(inks: Inks, format: Formatter): uPlot.Axis[] {
  const both = {
    stroke: inks.text,
    font: inks.font,
    ticks: { show: false },
  };
  return [
    {
      ...both,
      grid: { show: false },
      space: 72,
      size: 28,
      values: (_, splits) => splits.map((second) => format.time(second * 1_000)),
    },
    {
      ...both,
      grid: { stroke: inks.grid, width: 1 },
      size: 56,
      space: 36,
      values: (_, splits) => splits.map((value) => format.number(value)),
    },
  ];
}

/** A flat line stands in the middle of its axis, instead of being measured from zero. */
function valueRange(min: number | null, max: number | null): [number, number] {
  if (min === null || max === null) return [0, 1];
  const pad = max > min ? (max - min) * 0.1 : Math.abs(max) * 0.05 || 1;
  return [min - pad, max + pad];
}

function optionsOf(options: PlotOptions, inks: Inks, edge: { now: number }): uPlot.Options {
  return {
    width: options.width,
    height,
    legend: { show: false },
    padding: [8, 12, 0, 0],
    cursor: { drag: { x: false, y: false }, y: false, points: { size: 9 } },
    scales: {
      x: { time: true, range: () => [(edge.now - windowMs) / 1_000, edge.now / 1_000] },
      y: { range: (_, min, max) => valueRange(min, max) },
    },
    axes: axesOf(inks, options.format),
    series: [
      {},
      { stroke: inks.line, width: 1.75, spanGaps: false, points: { fill: inks.line, size: 4 } },
      { paths: () => null, points: { show: false } },
      // Neither a failed value nor the number in a missing one's place stretches the axis.
      { paths: () => null, points: { show: false }, auto: false },
      { paths: () => null, points: { show: false }, auto: false },
    ],
    hooks: {
      draw: [
        (u) => drawLonely(u, inks.line),
        (u) => drawMarks(u, { series: 2, shape: diamond, ink: inks.mark }),
        (u) => drawMarks(u, { series: 3, shape: cross, ink: inks.mark }),
        (u) => drawMarks(u, { series: 4, shape: ring, ink: inks.mark }),
      ],
      setCursor: [(u) => options.onPoint(u.cursor.idx ?? undefined)],
    },
  };
}

export function openPlot(options: PlotOptions): Plot {
  const edge = { now: Date.now() };
  const inks = inksOf(options.into);
  const empty: uPlot.AlignedData = [[], [], [], [], []];
  const plot = new uPlot(optionsOf(options, inks, edge), empty, options.into);
  return {
    show(columns, now) {
      edge.now = now;
      const { times, line, suspect, fail, missing } = columns;
      plot.setData([times, line, suspect, fail, missing]);
    },
    point(column) {
      const time = column === undefined ? undefined : plot.data[0]?.[column];
      const left = time === undefined || time === null ? -10 : plot.valToPos(time, 'x');
      plot.setCursor({ left, top: left < 0 ? -10 : height / 3 }, false);
    },
    resize: (width) => plot.setSize({ width, height }),
    close: () => plot.destroy(),
  };
}
