/**
 * The canned town of the stand-in: twelve devices with a day of values, some late, some doubtful.
 */
import type {
  DeviceJson,
  LiveRow,
  QualityFlag,
  ReadingJson,
  SeriesEntry,
  VouchedByWord,
} from '../../../dashboard/protocol.ts';
import type { QuantityJson } from '../../../dashboard/web/quantity.ts';

const minuteMs = 60_000;

export const quantityList: QuantityJson[] = [
  {
    quantity: 'air_temperature',
    unit: 'Cel',
    kind: 'number',
    names: { az: 'Havanın temperaturu', ru: 'Температура воздуха', en: 'Air temperature' },
    resolution: 0.1,
  },
  {
    quantity: 'relative_humidity',
    unit: '%',
    kind: 'number',
    names: { az: 'Nisbi rütubət', ru: 'Относительная влажность', en: 'Relative humidity' },
    resolution: 1,
  },
  {
    quantity: 'pm2_5',
    unit: 'ug/m3',
    kind: 'number',
    names: { az: 'PM2,5 hissəcikləri', ru: 'Частицы PM2,5', en: 'PM2.5' },
    resolution: 0.1,
  },
  {
    quantity: 'noise_level',
    unit: 'dB(A)',
    kind: 'number',
    names: { az: 'Səs-küy səviyyəsi', ru: 'Уровень шума', en: 'Noise level' },
    resolution: 0.1,
  },
  {
    quantity: 'water_level',
    unit: 'm',
    kind: 'number',
    names: { az: 'Suyun səviyyəsi', ru: 'Уровень воды', en: 'Water level' },
    resolution: 0.01,
  },
  {
    quantity: 'parking_state',
    unit: '',
    kind: 'state',
    names: { az: 'Dayanacaq yeri', ru: 'Парковочное место', en: 'Parking space' },
    states: {
      free: { names: { az: 'boşdur', ru: 'свободно', en: 'vacant' } },
      taken: { names: { az: 'tutulub', ru: 'занято', en: 'taken' } },
    },
  },
  {
    quantity: 'battery_voltage',
    unit: 'V',
    kind: 'number',
    names: { az: 'Batareya gərginliyi', ru: 'Напряжение батареи', en: 'Battery voltage' },
    resolution: 0.01,
  },
];

interface Spot {
  id: string;
  name: string;
  area: string;
  quantities: readonly string[];
  vouchedBy: VouchedByWord;
  /** Minutes since its last uplink. */
  minutes: number;
  quality?: QualityFlag;
}

const air = ['air_temperature', 'relative_humidity', 'pm2_5', 'noise_level', 'battery_voltage'];
const climate = ['air_temperature', 'relative_humidity', 'battery_voltage'];
const water = ['water_level', 'battery_voltage'];

const spots: readonly Spot[] = [
  spot('24e124710c000001', 'Xətai parkı, hava', 'Xətai', { quantities: air, minutes: 1.5 }),
  spot('24e124710c000002', 'Qax küçəsi, hava', 'Nəsimi', {
    quantities: air,
    minutes: 4,
    quality: 3,
  }),
  spot('24e124710c000003', 'İçərişəhər, meteo', 'Səbail', { quantities: climate, minutes: 2 }),
  spot('24e124710c000004', 'Gənclik, meteo', 'Nərimanov', { quantities: climate, minutes: 70 }),
  spot('24e124710c000005', 'Böyükşor gölü', 'Nərimanov', { quantities: water, minutes: 8 }),
  spot('24e124710c000006', 'Pirallahı körpüsü', 'Pirallahı', { quantities: water, minutes: 300 }),
  spot('24e124710c000007', 'Əhmədli, hava', 'Xətai', { quantities: air, minutes: 3, quality: 4 }),
  spot('24e124710c000008', 'Çənbərəkənd, meteo', 'Səbail', { quantities: climate, minutes: 12 }),
  spot('24e124710c000009', 'Şıx çimərliyi', 'Səbail', { quantities: water, minutes: 0.2 }),
  spot('modem-5g-01', 'Zığ yolu, kamera qovşağı', 'Xətai', {
    quantities: ['noise_level', 'parking_state'],
    minutes: 1,
    vouchedBy: 'tls-client',
  }),
  spot('modem-5g-02', 'Dayanacaq 2', 'Nəsimi', {
    quantities: ['parking_state'],
    minutes: 5,
    vouchedBy: 'credential',
  }),
  spot('modem-5g-10', 'Dayanacaq 10', 'Nəsimi', {
    quantities: ['parking_state'],
    minutes: 6,
    vouchedBy: 'network-server',
  }),
];

function spot(
  id: string,
  name: string,
  area: string,
  rest: { quantities: readonly string[]; minutes: number } & Partial<Spot>,
): Spot {
  return { vouchedBy: 'mic', ...rest, id, name, area };
}

export const deviceList: DeviceJson[] = spots.map((one) => ({
  id: one.id,
  kind: one.id.startsWith('modem') ? 'cellular' : 'lorawan',
  registered: true,
  name: one.name,
  area: one.area,
  agency: 'Şəhər Təsərrüfatı',
  location: { latitude: 40.3777, longitude: 49.892 },
  model: 'AM307',
  codec: 'milesight-am307',
  activation: 'otaa',
  macVersion: '1.0.4',
  tags: { simulated: 'true' },
}));

const unitOf = new Map(quantityList.map((one) => [one.quantity, one.unit]));

export const seriesList: SeriesEntry[] = spots
  .flatMap((one) => one.quantities.map((quantity) => ({ device: one.id, quantity })))
  .map(({ device, quantity }, at) => [at, device, quantity, '', unitOf.get(quantity) ?? '']);

/** A smooth day: the same values for every run of the tests. */
function cannedValue(quantity: string, step: number): number | string {
  const wave = Math.sin(step / 15);
  const values: Readonly<Record<string, number | string>> = {
    air_temperature: 14.2 + 4 * wave,
    relative_humidity: 61 - 12 * wave,
    pm2_5: 18.4 + 9 * Math.sin(step / 7) + (step % 5),
    noise_level: 55 + 6 * wave + (step % 3),
    water_level: 1.27 + 0.1 * wave,
    parking_state: step % 2 === 0 ? 'free' : 'taken',
    battery_voltage: 3.61,
  };
  return values[quantity] ?? 0;
}

export function latestRows(now: number): LiveRow[] {
  return seriesList.map(([index, device, quantity], at) => {
    const place = spots.find((one) => one.id === device);
    const time = Math.round(now - (place?.minutes ?? 0) * minuteMs);
    const quality = at % 4 === 2 ? (place?.quality ?? 1) : 1;
    const vouchedBy = place?.vouchedBy ?? 'mic';
    return [index, time, cannedValue(quantity, 0), quality, vouchedBy, time + 300, at + 1];
  });
}

const flagAt: Readonly<Record<number, QualityFlag>> = { 20: 3, 40: 4, 50: 9 };

/** A value every ten minutes, three hours of silence; one doubtful, one failed, one missing. */
export function historyOf(device: string, now: number): Omit<ReadingJson, 'receivedAt'>[] {
  const place = spots.find((one) => one.id === device);
  if (place === undefined) return [];
  const items: Omit<ReadingJson, 'receivedAt'>[] = [];
  for (let step = 0; step < 140; step += 1) {
    if (step > 60 && step < 78) continue;
    const time = new Date(now - step * 10 * minuteMs - 60_000).toISOString();
    for (const quantity of place.quantities) {
      const quality = flagAt[step] ?? 1;
      const isMeasured = (step !== 40 && step !== 50) || quantity === 'parking_state';
      const value = isMeasured ? cannedValue(quantity, step) : -99;
      const unit = unitOf.get(quantity) ?? '';
      const { vouchedBy } = place;
      items.push({ device, quantity, value, unit, time, quality, vouchedBy, seq: step + 1 });
    }
  }
  return items;
}
