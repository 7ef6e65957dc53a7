/** All devices with their last values: found by text or area, in a steady order. */
import { useMemo, useRef, useState } from 'preact/hooks';
import type { DeviceJson } from '../../protocol.ts';
import { areasOf, heldOrder, type ListOrder, orderDevices, searchText } from '../device-order.ts';
import { queryWords } from '../fold.ts';
import { usePage } from '../page-context.tsx';
import { quantityName } from '../quantity.ts';
import { DeviceRow } from './device-row.tsx';
import { FirstUplink } from './first-uplink.tsx';

/** Rows at first, and with each "show more". */
const rowsStep = 200;
/** How often the order by attention is looked at anew. */
const orderEveryMs = 5_000;

/** What was chosen above the table; it outlives a visit to a device's page. */
interface Choice {
  query: string;
  area: string;
  order: ListOrder;
}

const kept: { choice: Choice } = { choice: { query: '', area: '', order: 'name' } };

function useOrdered(choice: Choice): DeviceJson[] {
  const { page } = usePage();
  const devices = page.devices.value;
  const quantities = page.quantities.value;
  const language = page.language.value;
  const moment = choice.order === 'name' ? 0 : Math.floor(page.now.value / orderEveryMs);
  return useMemo(() => {
    const namesOf = (id: string) =>
      [...page.board.device(id).peek().readings.values()].map((reading) =>
        quantityName(quantities, reading.quantity, language),
      );
    return orderDevices({
      devices,
      words: queryWords(choice.query),
      area: choice.area,
      order: choice.order,
      textOf: (device) => searchText(device, namesOf(device.id)),
      freshnessOf: (id) => page.board.freshness(id, page.now.peek()),
    });
  }, [page, devices, quantities, language, choice, moment]);
}

function Filters(props: { choice: Choice; change: (choice: Choice) => void; shown: number }) {
  const { page, t, format } = usePage();
  const { choice, change, shown } = props;
  const areas = areasOf(page.devices.value);
  const all = page.devices.value.length;
  return (
    <search class="filters">
      <label>
        <span>{t('list.filter')}</span>
        <input
          type="search"
          name="find"
          value={choice.query}
          placeholder={t('list.filterHint')}
          autocomplete="off"
          onInput={(event) => change({ ...choice, query: event.currentTarget.value })}
        />
      </label>
      <label>
        <span>{t('list.area')}</span>
        <select
          name="area"
          value={choice.area}
          onChange={(event) => change({ ...choice, area: event.currentTarget.value })}
        >
          <option value="">{t('list.allAreas')}</option>
          {areas.map((area) => (
            <option key={area} value={area}>
              {area}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>{t('list.order')}</span>
        <select
          name="order"
          value={choice.order}
          onChange={(event) => {
            const order = event.currentTarget.value === 'attention' ? 'attention' : 'name';
            change({ ...choice, order });
          }}
        >
          <option value="name">{t('list.byName')}</option>
          <option value="attention">{t('list.byAttention')}</option>
        </select>
      </label>
      <p class="shown">{t('list.shown', { n: all, words: { shown: format.number(shown, 0) } })}</p>
    </search>
  );
}

export function DeviceList() {
  const { page, t } = usePage();
  const [choice, setChoice] = useState(kept.choice);
  const [rows, setRows] = useState(rowsStep);
  const [isHeld, hold] = useState(false);
  const before = useRef<{ choice: Choice; ids: readonly string[] }>({ choice, ids: [] });
  const ordered = useOrdered(choice);
  const wanted = ordered.map((device) => device.id);
  // The reader's own choice reorders at once; only the page's own changes wait.
  const ids = heldOrder(before.current.ids, wanted, isHeld && before.current.choice === choice);
  before.current = { choice, ids };
  const isWaiting = ids !== wanted && ids.some((id, at) => id !== wanted[at]);
  const shown = ids.slice(0, rows).flatMap((id) => page.deviceById.value.get(id) ?? []);
  const change = (next: Choice) => {
    kept.choice = next;
    setChoice(next);
  };
  if (page.devices.value.length === 0) return <EmptyList />;
  return (
    <>
      <h1 tabIndex={-1}>{t('list.title')}</h1>
      <Filters choice={choice} change={change} shown={ordered.length} />
      {isWaiting ? <p class="waiting">{t('list.waiting')}</p> : null}
      {shown.length === 0 ? (
        <p class="empty">{t('list.nothing')}</p>
      ) : (
        <DeviceTable devices={shown} hold={hold} />
      )}
      {ids.length > rows ? (
        <button type="button" class="button" onClick={() => setRows(rows + rowsStep)}>
          {t('list.more', { n: Math.min(rowsStep, ids.length - rows) })}
        </button>
      ) : null}
    </>
  );
}

function EmptyList() {
  const { t } = usePage();
  return (
    <>
      <h1 tabIndex={-1}>{t('list.title')}</h1>
      <p class="empty">{t('list.empty')}</p>
      <FirstUplink />
    </>
  );
}

function DeviceTable(props: { devices: readonly DeviceJson[]; hold: (isHeld: boolean) => void }) {
  const { t } = usePage();
  const { devices, hold } = props;
  return (
    <table
      class="devices"
      onPointerEnter={() => hold(true)}
      onPointerLeave={() => hold(false)}
      onFocusIn={() => hold(true)}
      onFocusOut={() => hold(false)}
    >
      <caption class="visually-hidden">{t('list.title')}</caption>
      <thead>
        <tr>
          <th scope="col">{t('column.device')}</th>
          <th scope="col">{t('column.state')}</th>
          <th scope="col">{t('column.area')}</th>
          <th scope="col">{t('column.values')}</th>
          <th scope="col">{t('column.age')}</th>
          <th scope="col">{t('column.vouched')}</th>
        </tr>
      </thead>
      <tbody>
        {devices.map((device) => (
          <DeviceRow key={device.id} device={device} />
        ))}
      </tbody>
    </table>
  );
}
