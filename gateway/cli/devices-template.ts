/** `fieldgate devices template`: what a table of devices looks like, to be filled in. */
import { Command } from 'commander';

const columns = [
  ...['id', 'kind', 'name', 'agency', 'area', 'latitude', 'longitude', 'model', 'codec'],
  ...['activation', 'macVersion', 'joinEui', 'devAddr'],
  ...['keys.appKey', 'keys.nwkKey', 'keys.nwkSKey', 'keys.appSKey', 'tags.street'],
] as const;

type Cells = Readonly<Partial<Record<(typeof columns)[number], string>>>;

/** Nobody's keys: they show the form. */
const shownKey = '00112233445566778899AABBCCDDEEFF';

const town = { agency: 'town', area: 'yasamal', latitude: '40.3777', longitude: '49.8920' };

const rows: readonly Cells[] = [
  {
    ...{ id: '70b3d57ed0000001', kind: 'lorawan', name: 'Air, joins over the air', ...town },
    ...{ codec: 'elsys-generic', activation: 'otaa', macVersion: '1.0.3' },
    ...{ joinEui: '70b3d57ed0000000', 'keys.appKey': shownKey, 'tags.street': 'Nizami 12' },
  },
  {
    ...{ id: '70b3d57ed0000002', kind: 'lorawan', name: 'Level, with session keys', ...town },
    ...{ codec: 'dragino-ldds75', activation: 'abp', macVersion: '1.0.3', devAddr: '26011bda' },
    ...{ 'keys.nwkSKey': shownKey, 'keys.appSKey': shownKey },
  },
  { id: 'meter-7', kind: 'cellular', name: 'Meter on NB-IoT', ...town },
];

export function deviceTemplate(): string {
  const lines = rows.map((row) => columns.map((column) => cellOf(row[column])).join(','));
  return [columns.join(','), ...lines, ''].join('\n');
}

/** [RFC 4180] clause 2.6. */
function cellOf(text = ''): string {
  return text.includes(',') ? `"${text}"` : text;
}

export function templateCommand(): Command {
  return new Command('template')
    .description('print a CSV of devices to fill in: every column, and a row of each kind')
    .action(() => {
      process.stdout.write(deviceTemplate());
    });
}
