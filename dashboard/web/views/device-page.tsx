/** One device: who it is, its last values, and a day of each of them. */
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { DeviceJson } from '../../protocol.ts';
import { type DeviceHistory, openHistory } from '../device-history.ts';
import { deviceName } from '../device-order.ts';
import { freshnessOf, gapsNeeded, intervalOf } from '../freshness.ts';
import { type PageTools, usePage } from '../page-context.tsx';
import { Chart } from '../parts/chart.tsx';
import {
  Age,
  FreshnessMark,
  QualityMark,
  shownState,
  Value,
  VouchedMark,
} from '../parts/marks.tsx';
import { quantityName, quantityRank } from '../quantity.ts';
import { addressOf } from '../route.ts';
import { sortReadings } from './device-row.tsx';

function useHistory(id: string): DeviceHistory {
  const { page, live } = usePage();
  const history = useMemo(
    () =>
      openHistory({
        device: id,
        api: page.api,
        live,
        now: () => page.pausedAt.peek() ?? page.serverNow(),
      }),
    [id, page, live],
  );
  useEffect(() => () => history.close(), [history]);
  const wasLate = useRef(false);
  const isLate = page.storeLateSince.value !== undefined;
  useEffect(() => {
    if (wasLate.current && !isLate) history.refresh();
    wasLate.current = isLate;
  }, [history, isLate]);
  return history;
}

export function DevicePage({ id }: { id: string }) {
  const { page, t } = usePage();
  const device = page.deviceById.value.get(id);
  return (
    <>
      <p class="back">
        <a href={addressOf({ view: 'list' })}>← {t('device.back')}</a>
      </p>
      {device === undefined ? (
        <>
          <h1 tabIndex={-1}>{id}</h1>
          <p>{t('device.unknown')}</p>
        </>
      ) : (
        <KnownDevice device={device} />
      )}
    </>
  );
}

function KnownDevice({ device }: { device: DeviceJson }) {
  const { t } = usePage();
  const history = useHistory(device.id);
  return (
    <>
      <Heading device={device} />
      <div class="device-grid">
        <section class="panel" aria-labelledby="values-title">
          <h2 id="values-title">{t('device.values')}</h2>
          <LastValues id={device.id} />
        </section>
        <section class="panel" aria-labelledby="about-title">
          <h2 id="about-title">{t('device.about')}</h2>
          <About device={device} />
        </section>
      </div>
      <Charts history={history} />
    </>
  );
}

function Heading({ device }: { device: DeviceJson }) {
  const { page } = usePage();
  const board = page.board.device(device.id).value;
  const { phase } = page.live.value;
  const isDown = phase === 'down' || phase === 'refused';
  const state = shownState(freshnessOf(board.rhythm, page.now.value), isDown);
  return (
    <div class="heading">
      <h1 tabIndex={-1}>{deviceName(device)}</h1>
      <p>
        <FreshnessMark state={state} />
        {device.area === undefined ? null : <span>{device.area}</span>}
        {board.rhythm.lastTime === undefined ? null : <Age time={board.rhythm.lastTime} />}
      </p>
    </div>
  );
}

function LastValues({ id }: { id: string }) {
  const { page, t, format } = usePage();
  const board = page.board.device(id).value;
  const known = page.quantities.value;
  const readings = sortReadings(board, (quantity) => quantityRank(known, quantity));
  if (readings.length === 0) return <p>{t('device.noValues')}</p>;
  return (
    <table class="last-values">
      <caption class="visually-hidden">{t('device.values')}</caption>
      <thead>
        <tr>
          <th scope="col">{t('column.quantity')}</th>
          <th scope="col">{t('column.value')}</th>
          <th scope="col">{t('column.time')}</th>
          <th scope="col">{t('column.vouched')}</th>
        </tr>
      </thead>
      <tbody>
        {readings.map((reading) => (
          <tr key={`${reading.quantity} ${reading.channel}`}>
            <th scope="row">
              {quantityName(known, reading.quantity, page.language.value)}
              {reading.channel === '' ? '' : ` ${reading.channel}`}
            </th>
            <td data-label={t('column.value')}>
              <Value reading={reading} /> <QualityMark quality={reading.quality} />
            </td>
            <td data-label={t('column.time')}>
              {format.moment(reading.time, page.now.peek())}
              <span class="age">
                <Age time={reading.time} />
              </span>
            </td>
            <td data-label={t('column.vouched')}>
              <VouchedMark by={reading.vouchedBy} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Name and text of what is known; what is not known is not listed. */
function aboutLines(device: DeviceJson, { page, t, format }: PageTools): [string, string][] {
  const { rhythm } = page.board.device(device.id).value;
  const { location } = device;
  const place =
    location === undefined
      ? undefined
      : `${format.number(location.latitude, 5)}; ${format.number(location.longitude, 5)}`;
  const seen = device.lastSeen === undefined ? rhythm.lastTime : Date.parse(device.lastSeen);
  const heard = Math.max(seen ?? 0, rhythm.lastTime ?? 0);
  const isLearned = rhythm.gapsMs.length >= gapsNeeded;
  const lines: [string, string | undefined][] = [
    [t('about.id'), device.id],
    [t('about.kind'), t(`kind.${device.kind}`)],
    [t('about.agency'), device.agency],
    [t('column.area'), device.area],
    [t('about.location'), place],
    [t('about.model'), device.model],
    [t('about.codec'), device.codec],
    [t('about.activation'), device.activation?.toUpperCase()],
    [t('about.macVersion'), device.macVersion],
    [t('about.interval'), isLearned ? format.span(intervalOf(rhythm)) : undefined],
    [t('about.lastSeen'), heard > 0 ? `${format.date(heard)}, ${format.time(heard)}` : undefined],
  ];
  return lines.flatMap(([name, text]): [string, string][] =>
    text === undefined || text === '' ? [] : [[name, text]],
  );
}

function About({ device }: { device: DeviceJson }) {
  const tools = usePage();
  return (
    <dl class="about">
      {device.registered ? null : <p class="id">{tools.t('device.unregistered')}</p>}
      {aboutLines(device, tools).map(([name, text]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}

function Charts({ history }: { history: DeviceHistory }) {
  const { page, t } = usePage();
  const known = page.quantities.value;
  const series = history.series.value;
  const reason = history.trouble.value;
  const sorted = [...(series?.values() ?? [])]
    .filter((one) => one.points.length > 0)
    .sort(
      (left, right) =>
        quantityRank(known, left.quantity) - quantityRank(known, right.quantity) ||
        (left.channel < right.channel ? -1 : 1),
    );
  return (
    <section class="history" aria-labelledby="history-title">
      <h2 id="history-title">{t('device.history')}</h2>
      {reason === undefined ? null : (
        <p class="trouble-text" role="alert">
          {t('page.failed', { words: { reason } })}
        </p>
      )}
      {series === undefined ? <p>{t('page.loading')}</p> : null}
      {series !== undefined && sorted.length === 0 ? <p>{t('device.noHistory')}</p> : null}
      {sorted.length > 0 ? <p class="hint">{t('chart.hint')}</p> : null}
      <div class="charts">
        {sorted.map((one) => {
          const name = quantityName(known, one.quantity, page.language.value);
          const key = `${one.quantity} ${one.channel}`;
          return <Chart key={key} series={one} name={`${name} ${one.channel}`.trim()} />;
        })}
      </div>
    </section>
  );
}
