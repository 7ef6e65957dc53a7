/** One device in the list: its state, its main last values, their age and who vouches for them. */
import type { DeviceJson, VouchedByWord } from '../../protocol.ts';
import type { DeviceBoard } from '../board.ts';
import { deviceName } from '../device-order.ts';
import { freshnessOf, intervalOf } from '../freshness.ts';
import type { LiveReading } from '../live-subscription.ts';
import { usePage } from '../page-context.tsx';
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

/** Values shown of one device; its page has the rest. */
const mainValuesMax = 4;

export function sortReadings(
  board: DeviceBoard,
  rankOf: (quantity: string) => number,
): LiveReading[] {
  return [...board.readings.values()].sort(
    (left, right) =>
      rankOf(left.quantity) - rankOf(right.quantity) ||
      (left.quantity < right.quantity ? -1 : left.quantity > right.quantity ? 1 : 0) ||
      (left.channel < right.channel ? -1 : 1),
  );
}

/** `newest` is the device's last measurement: an older value says its own age. */
function MainValue(props: { reading: LiveReading; newest: number; intervalMs: number }) {
  const { page, t } = usePage();
  const { reading, newest, intervalMs } = props;
  const name = quantityName(page.quantities.value, reading.quantity, page.language.value);
  return (
    <li>
      <span class="quantity">
        {name}
        {reading.channel === '' ? '' : ` ${reading.channel}`}
      </span>{' '}
      <Value reading={reading} /> <QualityMark quality={reading.quality} />
      {newest - reading.time > intervalMs ? (
        <span class="own-age">
          {t('state.last')} <Age time={reading.time} />
        </span>
      ) : null}
    </li>
  );
}

function MainValues({ board }: { board: DeviceBoard }) {
  const { page, t } = usePage();
  const known = page.quantities.value;
  const readings = sortReadings(board, (quantity) => quantityRank(known, quantity));
  const newest = board.rhythm.lastTime ?? 0;
  const intervalMs = intervalOf(board.rhythm);
  const hidden = readings.length - mainValuesMax;
  return (
    <ul class="values">
      {readings.slice(0, mainValuesMax).map((reading) => (
        <MainValue
          key={`${reading.quantity} ${reading.channel}`}
          reading={reading}
          newest={newest}
          intervalMs={intervalMs}
        />
      ))}
      {hidden > 0 ? <li class="more">{t('values.more', { n: hidden })}</li> : null}
    </ul>
  );
}

function vouchersOf(board: DeviceBoard): VouchedByWord[] {
  return [...new Set([...board.readings.values()].map((reading) => reading.vouchedBy))].sort();
}

export function DeviceRow({ device }: { device: DeviceJson }) {
  const { page, t } = usePage();
  const board = page.board.device(device.id).value;
  const { phase } = page.live.value;
  const isDown = phase === 'down' || phase === 'refused';
  const state = shownState(freshnessOf(board.rhythm, page.now.value), isDown);
  return (
    <tr class={`row-${state}`} data-device={device.id}>
      <th scope="row" class="cell-device">
        <a href={addressOf({ view: 'device', id: device.id })}>{deviceName(device)}</a>
        {device.name === undefined ? null : <span class="id">{device.id}</span>}
        {device.registered ? null : <span class="id">{t('device.unregistered')}</span>}
      </th>
      <td class="cell-state">
        <FreshnessMark state={state} />
      </td>
      <td class="cell-area" data-label={t('column.area')}>
        {device.area ?? '—'}
      </td>
      <td class="cell-values">
        <MainValues board={board} />
      </td>
      <td class="cell-age" data-label={t('column.age')}>
        {board.rhythm.lastTime === undefined ? '—' : <Age time={board.rhythm.lastTime} />}
      </td>
      <td class="cell-vouched" data-label={t('column.vouched')}>
        {vouchersOf(board).map((by) => (
          <VouchedMark key={by} by={by} />
        ))}
      </td>
    </tr>
  );
}
