/**
 * Published messages of network servers and modems, by Debian's own client through the whole
 * program: what is acknowledged is in the ledger, and what can be read is in the store.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { UplinkJson } from '../../dashboard/protocol-uplinks.ts';
import { fixtureText } from '../adapters/inbound.ts';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { type Influxd, startInfluxd } from '../setup/influxd.ts';
import { describeWith, isInstalled } from '../setup/tools.ts';
import { accountFor, modemId, mqttClients } from './accounts.ts';
import { isAllStored, readingsOf, type StoredReading, uplinksAfter } from './gateway-api.ts';
import { mosquittoPub } from './mosquitto.ts';

interface Case {
  readonly fixture: string;
  readonly route: string;
  readonly golden: string;
  readonly line?: number;
}

/** What an adapter makes of it, as the tests of the adapters hold it. */
interface Golden {
  readonly kind: string;
  readonly code?: string;
  readonly deviceId?: string;
  readonly devAddr?: string;
  readonly fCnt?: number;
  readonly fPort?: number;
  readonly frmPayload?: string;
}

const golden = new URL('../adapters/golden/', import.meta.url);
const networkServers = new URL('../adapters/network-servers/', import.meta.url);
const isVersion3 = (name: string) =>
  name.startsWith('chirpstack-v3-') || name === 'chirpstack-v4-tb-2.json';

function casesIn(folder: URL): Case[] {
  return JSON.parse(readFileSync(new URL('cases.json', folder), 'utf8'));
}

/** ChirpStack v3 shares its topics with v4: there, the goldens of its own adapter hold. */
const cases = [
  ...casesIn(golden).filter(({ golden: name }) => !isVersion3(name)),
  ...casesIn(networkServers).filter(
    ({ golden: name, route }) =>
      name.startsWith('chirpstack-v3-') && route.includes('/event/') && !name.includes('old'),
  ),
];

function goldenOf(name: string): Golden[] {
  const folder = isVersion3(name) ? networkServers : golden;
  const parsed: Golden | Golden[] = JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
  return [parsed].flat();
}

const named = (name: string) => cases.filter((each) => each.golden === name);

const codecNames = [
  'cayenne-lpp',
  'dragino-lht65',
  'elsys-generic',
  'milesight-em300',
  'milesight-em300-di',
];
const coded = codecNames.map((codec, index) => ({ codec, id: `02f1e1d5000000c${index}` }));
const devices = coded.map(({ codec, id }) => ({ id, kind: 'lorawan', codec }));

function bodyOf({ fixture, line }: Case): Buffer {
  const text = fixtureText(fixture);
  return Buffer.from(line === undefined ? text : (text.split('\n')[line] ?? ''));
}

async function publish({ mqttPort: port }: GatewayProcess, topic: string, payload: Buffer) {
  const words = await mosquittoPub({ port, account: accountFor(topic), topic, payload });
  expect(words).toBe('0');
}

/** Publishes each and finds, right after its PUBACK, what the ledger has written down of it. */
async function publishAll(gateway: GatewayProcess, some: readonly Case[]) {
  const entries = new Map<string, readonly UplinkJson[]>();
  let last = (await uplinksAfter(gateway, 0)).at(-1)?.seq ?? 0;
  for (const each of some) {
    await publish(gateway, each.route, bodyOf(each));
    const written = await uplinksAfter(gateway, last);
    entries.set(each.golden, written);
    last = written.at(-1)?.seq ?? last;
  }
  await until('everything is stored', () => isAllStored(gateway));
  return entries;
}

function expectedEntry(part: Golden, route: string): object {
  if (part.kind === 'fault') return { outcome: 'quarantined', fault: { code: part.code }, route };
  // No device of the published frame is registered here.
  if (part.kind === 'frame') {
    return { outcome: 'quarantined', fault: { code: 'DEVICE_UNKNOWN' }, route };
  }
  const { deviceId: device, devAddr, fCnt, fPort } = part;
  const frmPayload = part.frmPayload?.replace('hex:', '');
  const identity =
    part.kind === 'event' ? { device } : { device, devAddr, fCnt, fPort, frmPayload };
  const known = Object.entries(identity).filter(([, value]) => value !== undefined);
  return {
    outcome: part.kind === 'event' ? 'event' : 'accepted',
    route,
    credential: accountFor(route).username,
    ...Object.fromEntries(known),
  };
}

/** `received` stands for the gateway's own time of reception: the message tells none. */
type Row = readonly [quantity: string, value: number, unit: string, time: string, channel?: string];

const readings: Readonly<Record<string, readonly Row[]>> = {
  'tts-v3-uplink.json': [
    ['air_temperature', 1, 'Cel', '2020-02-12T15:15:45.789Z'],
    ['illuminance', 0.64, 'lx', '2020-02-12T15:15:45.789Z'],
  ],
  'chirpstack-v4-status.json': [['battery_level', 88.3, '%', '2022-07-18T09:35:06.927Z']],
  'senml-ex1.json': [['air_temperature', 23.1, 'Cel', 'received']],
  'senml-ex2.json': [
    ['current', 1.2, 'A', 'received'],
    ['voltage', 120.1, 'V', 'received'],
  ],
  'senml-ex8.json': [
    ['air_temperature', 27.2, 'Cel', '2011-10-31T16:27:09.000Z'],
    ['relative_humidity', 80, '%', '2011-10-31T16:27:09.000Z'],
  ],
  'device-telemetry-1.json': [
    ['air_temperature', 22.5, 'Cel', 'received'],
    ['relative_humidity', 61, '%', 'received'],
  ],
  'device-telemetry-2.json': [
    ['air_temperature', 22.5, 'Cel', '2016-01-01T12:00:00.512Z'],
    ['relative_humidity', 61, '%', '2016-01-01T12:00:00.512Z'],
  ],
  'device-telemetry-3.json': [
    ['air_temperature', 22.5, 'Cel', '2016-01-01T12:00:00.000Z'],
    ['air_temperature', 22.7, 'Cel', '2016-01-01T12:00:01.000Z'],
    ['relative_humidity', 60, '%', '2016-01-01T12:00:01.000Z'],
    ['relative_humidity', 61, '%', '2016-01-01T12:00:00.000Z'],
  ],
  'nb-11.json': [
    ['air_temperature', 28, 'Cel', 'received'],
    ['battery_level', 99, '%', 'received'],
    ['pulse_count', 0, '', 'received', '1'],
    ['pulse_count', 0, '', 'received', '2'],
    ['pulse_count', 0, '', 'received', '3'],
    ['pulse_count', 0, '', 'received', '4'],
  ],
};

/** Of the vocabulary's quantities, in the table's form and order. */
function rowsOf(stored: readonly StoredReading[], entry: UplinkJson | undefined): unknown[] {
  return stored
    .filter(({ seq, quantity }) => seq === entry?.seq && !quantity.startsWith('x_'))
    .map(({ quantity, value, unit, time, channel }) => {
      const when = time === entry?.receivedAt ? 'received' : time;
      return [quantity, value, unit, when, ...(channel === undefined ? [] : [channel])];
    })
    .sort((left, right) => (String(left) < String(right) ? -1 : 1));
}

interface Resolved {
  readonly t: number;
  readonly v?: number;
}

/** The examples with absolute times, as the RFC's authors resolved them. */
function resolved(name: string) {
  const records: Resolved[] = JSON.parse(fixtureText(`cellular/senml/${name}.resolved.json`));
  return { pack: `senml-${name}.json`, records: records.filter(({ v }) => v !== undefined) };
}

/** The fourth example has two points in common with the fifth, which comes later. */
const fourth = resolved('ex4');
const others = ['ex3', 'ex5', 'ex6', 'ex8', 'ex11'].map(resolved);

function expectPack(records: readonly Resolved[], stored: readonly StoredReading[], seq = 0): void {
  const points = stored.filter((each) => each.seq === seq).map(({ time, value }) => [time, value]);
  const expected = records.map(({ t, v }) => [new Date(Math.round(t * 1_000)).toISOString(), v]);
  expect(points).toHaveLength(expected.length);
  expect(points).toEqual(expect.arrayContaining(expected));
}

interface Example {
  readonly fPort: number;
  readonly bytes: string;
  readonly values?: readonly { quantity: string; value: number | string; channel?: string }[];
}

/** The codec's first example, in the envelope that ChirpStack documents. */
function codedUplink(id: string, codec: string) {
  const file = new URL(`../../decoders/${codec}/examples.json`, import.meta.url);
  const examples: Example[] = JSON.parse(readFileSync(file, 'utf8'));
  const example = examples.find(({ values }) => values !== undefined);
  const event = JSON.parse(fixtureText('lns/chirpstack-v4-up.json'));
  event.deviceInfo.devEui = id;
  event.deduplicationId = `3ac7e3c4-4401-4b8d-9386-${id.slice(4)}`;
  event.fPort = example?.fPort;
  event.data = Buffer.from(example?.bytes ?? '', 'hex').toString('base64');
  const topic = `application/${event.deviceInfo.applicationId}/device/${id}/event/up`;
  return { topic, payload: Buffer.from(JSON.stringify(event)), values: example?.values ?? [] };
}

async function expectCodedReadings(gateway: GatewayProcess): Promise<void> {
  const uplinks = coded.map(({ id, codec }) => ({ id, ...codedUplink(id, codec) }));
  for (const { topic, payload } of uplinks) await publish(gateway, topic, payload);
  await until('everything is stored', () => isAllStored(gateway));
  for (const { id, values } of uplinks) {
    const stored = await readingsOf(gateway, id);
    expect(values.length).toBeGreaterThan(0);
    expect(stored).toHaveLength(values.length);
    const time = '2022-07-18T09:34:15.775Z';
    for (const { quantity, value, channel } of values) {
      const reading = { quantity, value, ...(channel === undefined ? {} : { channel }), time };
      expect(stored).toContainEqual(expect.objectContaining(reading));
    }
  }
}

describeWith('mosquitto_pub', 'Published messages through the embedded store', () => {
  let gateway: GatewayProcess;
  let entries: Map<string, readonly UplinkJson[]>;
  let stored: StoredReading[];
  beforeAll(async () => {
    gateway = await startGatewayProcess({ config: { mqtt: { clients: mqttClients }, devices } });
    entries = await publishAll(gateway, cases);
    const heard = new Set((await uplinksAfter(gateway, 0)).flatMap(({ device }) => device ?? []));
    stored = (await Promise.all([...heard].map((id) => readingsOf(gateway, id)))).flat();
  }, 60_000);
  afterAll(() => gateway.stop());

  it.each(cases)('are in the ledger when acknowledged: $golden', ({ golden: name, route }) => {
    const expected = goldenOf(name).map((part) => expectedEntry(part, route));
    expect(entries.get(name)).toMatchObject(expected);
  });

  it.each(Object.keys(readings))('have their values, units and times in the store: %s', (name) => {
    expect(rowsOf(stored, entries.get(name)?.[0])).toEqual(readings[name]);
  });

  it.each(others)('have the values and times of the RFC: $pack', ({ pack, records }) => {
    expectPack(records, stored, entries.get(pack)?.[0]?.seq);
  });

  it('name who vouches: the network server, or the account of the modem', () => {
    for (const { device, vouchedBy } of stored) {
      const isModem = device === modemId || device.startsWith('Device_');
      expect(vouchedBy).toBe(isModem ? 'credential' : 'network-server');
    }
  });

  it('are listed as without a codec when nobody decoded them', async () => {
    const missing = await uplinksAfter(gateway, 0, 'fault=CODEC_MISSING');
    expect(missing.map(({ device, frmPayload }) => [device, frmPayload])).toEqual([
      ['0101010101010101', 'aa'],
      ['1000000000000001', '0112'],
      ['4200000000000000', '54656d7065726174757265203d20302e30'],
      ['1000000000000001', '0112'],
      ['1000000000000001', '0112'],
    ]);
    expect(missing.every(({ outcome }) => outcome === 'accepted')).toBe(true);
  });

  it('are decoded by the codec of their device', () => expectCodedReadings(gateway));
});

describe('Published messages through InfluxDB', () => {
  const suite = isInstalled('influxd') && isInstalled('mosquitto_pub') ? it : it.skip;
  let influxd: Influxd;
  let gateway: GatewayProcess;
  beforeAll(async () => {
    if (suite === it.skip) return;
    influxd = await startInfluxd();
    const store = { kind: 'influx', url: influxd.url, database: 'real' };
    const config = { mqtt: { clients: mqttClients }, devices, store };
    gateway = await startGatewayProcess({ config });
  }, 60_000);
  afterAll(async () => {
    await gateway?.stop();
    await influxd?.stop();
  });

  suite.each(Object.keys(readings))('have their values, units and times: %s', async (name) => {
    const [entry] = (await publishAll(gateway, named(name))).get(name) ?? [];
    const stored = await readingsOf(gateway, entry?.device ?? '');
    expect(rowsOf(stored, entry)).toEqual(readings[name]);
  });

  suite('have the values and times of the RFC', async () => {
    const [entry] = (await publishAll(gateway, named(fourth.pack))).get(fourth.pack) ?? [];
    expectPack(fourth.records, await readingsOf(gateway, modemId), entry?.seq);
  });

  suite('are decoded by the codec of their device', () => expectCodedReadings(gateway));
});
