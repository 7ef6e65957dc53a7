/** The values of a chart as a table, newest first, behind a button that everybody sees. */
import { useId, useState } from 'preact/hooks';
import type { Point } from '../history.ts';
import { usePage } from '../page-context.tsx';
import { type PrintValue, QualityMark } from './marks.tsx';

/** Rows of one table; older values are in the export. */
const tableRowsMax = 2_000;

interface TableProps {
  points: readonly Point[];
  name: string;
  /** UCUM. */
  unit: string;
  print: PrintValue;
  now: number;
}

export function ChartTable(props: TableProps) {
  const { t } = usePage();
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  if (props.points.length === 0) return null;
  return (
    <div class="chart-table">
      <button
        type="button"
        class="button"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setOpen(!isOpen)}
      >
        {t(isOpen ? 'chart.hideTable' : 'chart.showTable')}
      </button>
      <div id={id} hidden={!isOpen}>
        {isOpen ? <PointTable {...props} /> : null}
      </div>
    </div>
  );
}

function PointTable({ points, name, unit, print, now }: TableProps) {
  const { t, format } = usePage();
  const newest = points.slice(-tableRowsMax).reverse();
  return (
    <>
      {points.length > tableRowsMax ? <p>{t('chart.tableCut', { n: tableRowsMax })}</p> : null}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls needs the keyboard. */}
      <section class="scroll" tabIndex={0} aria-label={t('chart.table', { words: { name } })}>
        <table>
          <caption class="visually-hidden">{name}</caption>
          <thead>
            <tr>
              <th scope="col">{t('column.time')}</th>
              <th scope="col">
                {t('column.value')}
                {unit === '' ? null : <span class="ucum"> UCUM: {unit}</span>}
              </th>
              <th scope="col">{t('column.quality')}</th>
            </tr>
          </thead>
          <tbody>
            {newest.map((point) => (
              <tr key={point.time}>
                <th scope="row">
                  <time dateTime={new Date(point.time).toISOString()}>
                    {format.moment(point.time, now)}
                  </time>
                </th>
                <td class="number">{print(point.value)}</td>
                <td>
                  {point.quality === 1 ? t('quality.1') : <QualityMark quality={point.quality} />}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}
