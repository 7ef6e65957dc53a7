/**
 * The chart of one series, and the same in words and as a table: a picture for the eye, a summary
 * sentence, a cursor for the keyboard that says each value, and every value on demand.
 */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { SeriesHistory } from '../device-history.ts';
import type { Formatter } from '../format/formatter.ts';
import { chartColumns, type Point, pointsMax, summarise } from '../history.ts';
import type { Translate } from '../messages/translate.ts';
import { usePage } from '../page-context.tsx';
import { ChartTable } from './chart-table.tsx';
import { type PrintValue, usePrintValue } from './marks.tsx';
import { openPlot, type Plot } from './plot.ts';

function summaryWords(options: {
  points: readonly Point[];
  print: PrintValue;
  t: Translate;
  format: Formatter;
  now: number;
}): string {
  const { points, print, t, format, now } = options;
  const summary = summarise(points);
  const { last, min, max } = summary;
  const when = (point: Point) => format.moment(point.time, now);
  const parts: string[] = [];
  if (last === undefined || min === undefined || max === undefined) parts.push(t('chart.none'));
  else {
    const range = {
      min: print(min.value),
      minTime: when(min),
      max: print(max.value),
      maxTime: when(max),
      mean: print(summary.mean),
    };
    parts.push(`${t('chart.count', { n: summary.count })}.`);
    parts.push(t('chart.last', { words: { value: print(last.value), time: when(last) } }));
    parts.push(t('chart.range', { words: range }));
  }
  const span = format.span(summary.gapsMs);
  if (summary.gaps > 0) parts.push(t('chart.gaps', { n: summary.gaps, words: { span } }));
  if (summary.suspect > 0) parts.push(t('chart.suspect', { n: summary.suspect }));
  if (summary.fail > 0) parts.push(t('chart.fail', { n: summary.fail }));
  if (summary.missing > 0) parts.push(t('chart.missing', { n: summary.missing }));
  return parts.join(' ');
}

/** Rebuilds the drawing when its colours change, with the theme or by forced colours. */
function useTheme(): number {
  const [theme, setTheme] = useState(0);
  useEffect(() => {
    const queries = ['(prefers-color-scheme: dark)', '(forced-colors: active)'];
    const lists = queries.map((query) => window.matchMedia(query));
    const change = () => setTheme((count) => count + 1);
    for (const list of lists) list.addEventListener('change', change);
    return () => {
      for (const list of lists) list.removeEventListener('change', change);
    };
  }, []);
  return theme;
}

function usePlot(options: {
  points: readonly Point[];
  now: number;
  select: (point: number | undefined) => void;
  selected: number | undefined;
}) {
  const { points, now, select, selected } = options;
  const { format } = usePage();
  const theme = useTheme();
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | undefined>(undefined);
  const columns = useMemo(() => chartColumns(points), [points]);
  const pointAt = useRef(columns.pointAt);
  pointAt.current = columns.pointAt;
  // A theme has other colours to read, so the drawing is built anew.
  useEffect(() => {
    const into = box.current;
    if (into === null) return undefined;
    const opened = openPlot({
      into,
      width: into.clientWidth,
      format,
      onPoint: (column) => {
        const point = column === undefined ? -1 : (pointAt.current[column] ?? -1);
        select(point < 0 ? undefined : point);
      },
    });
    plot.current = opened;
    const observer = new ResizeObserver(() => opened.resize(into.clientWidth));
    observer.observe(into);
    return () => {
      observer.disconnect();
      opened.close();
      plot.current = undefined;
    };
  }, [format, theme, select]);
  // A rebuilt drawing is empty: whatever rebuilds it fills it again.
  useEffect(() => plot.current?.show(columns, now), [columns, now, format, theme]);
  useEffect(() => {
    const column = selected === undefined ? -1 : columns.pointAt.indexOf(selected);
    plot.current?.point(column < 0 ? undefined : column);
  }, [selected, columns]);
  return box;
}

const pageStep = 10;

/** Where a key moves the cursor; undefined for a key that is not ours. */
function moved(key: string, at: number, last: number): number | undefined {
  const moves: Readonly<Record<string, number>> = {
    ArrowLeft: at - 1,
    ArrowDown: at - 1,
    ArrowRight: at + 1,
    ArrowUp: at + 1,
    PageDown: at - pageStep,
    PageUp: at + pageStep,
    Home: 0,
    End: last,
  };
  const to = Object.hasOwn(moves, key) ? moves[key] : undefined;
  return to === undefined ? undefined : Math.min(last, Math.max(0, to));
}

export function Chart(props: { series: SeriesHistory; name: string }) {
  const { page, t, format } = usePage();
  const { series, name } = props;
  const { points } = series;
  const [selected, select] = useState<number | undefined>(undefined);
  const print = usePrintValue(series);
  // A new right edge each minute is enough; the points themselves redraw at once.
  const now = Math.ceil(page.now.value / 60_000) * 60_000;
  const box = usePlot({ points, now, select, selected });
  const last = points.length - 1;
  const at = Math.min(selected ?? last, last);
  const point = points[at];
  const summary = summaryWords({ points, print, t, format, now });
  const words = (one: Point) =>
    [
      print(one.value),
      format.moment(one.time, now),
      ...(one.quality === 1 ? [] : [t(`quality.${one.quality}`)]),
    ].join(' · ');
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') select(undefined);
    const to = moved(event.key, at, last);
    if (to === undefined) return;
    event.preventDefault();
    select(to);
  };
  const id = `chart-${series.quantity}-${series.channel}`;
  return (
    <section class="chart panel" aria-labelledby={id}>
      <h3 id={id}>{name}</h3>
      {point === undefined ? null : <p class="readout">{words(point)}</p>}
      <div class="plot">
        <div
          ref={box}
          role="img"
          aria-label={`${t('chart.label', { words: { name } })} ${summary}`}
        />
        {point === undefined ? null : (
          <div
            class="plot-cursor"
            role="slider"
            tabIndex={0}
            aria-label={t('chart.cursor', { words: { name } })}
            aria-valuemin={0}
            aria-valuemax={Math.max(1, last)}
            aria-valuenow={at}
            aria-valuetext={words(point)}
            onKeyDown={onKeyDown}
            onBlur={() => select(undefined)}
          />
        )}
      </div>
      <p class="summary">{summary}</p>
      {points.length < pointsMax ? null : (
        <p class="summary">{t('device.cut', { n: pointsMax })}</p>
      )}
      <ChartTable points={points} name={name} unit={series.unit} print={print} now={now} />
    </section>
  );
}
