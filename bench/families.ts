/** What can be measured, by name: the rows of each family with what is asked of them. */
import { adapterRates } from './adapters.ts';
import { codecRates } from './codecs.ts';
import { type EndToEndOptions, endToEnd } from './end-to-end.ts';
import { hostileCodecs } from './hostile-codecs.ts';
import { hostileFramesTaken } from './hostile-frames.ts';
import { ledgerAccept } from './ledger-accept.ts';
import { abuseRows, brokerRows, connectionRows } from './mqtt-rows.ts';
import { qualityRates } from './quality.ts';
import { rawFrames } from './raw-frames.ts';
import { perSecond, type Row } from './rows.ts';
import { generatorRates, historyRate } from './simulators.ts';

interface Family {
  /** What it does, for `--help` and while it runs. */
  readonly title: string;
  rows(how: { readonly isQuick: boolean }): Promise<Row[]>;
}

/** In the order of the table. */
export const families: Readonly<Record<string, Family>> = {
  frames: {
    title: 'raw frames: parse, session lookup, MIC, decryption on one core',
    rows: frameRows,
  },
  'hostile-frames': {
    title: 'random and mutated frames: none may be taken for valid',
    rows: async ({ isQuick }) => hostileFrameRows(isQuick ? 100_000 : 1_000_000),
  },
  adapters: {
    title: 'adapters: published messages on one core',
    rows: async () => adapterRows(),
  },
  quality: {
    title: 'quality control and built-in codecs on one core',
    rows: async () => qualityRows(),
  },
  codecs: {
    title: 'codecs: built-in, and a script in its sandbox',
    rows: ({ isQuick }) => codecRows(isQuick ? 40_000 : 200_000),
  },
  'hostile-codecs': {
    title: 'codecs: twelve hostile ones beside honest devices',
    rows: hostileCodecRows,
  },
  ledger: {
    title: 'ledger: accept to disk',
    rows: ({ isQuick }) => ledgerRows(isQuick ? 20_000 : 100_000),
  },
  simulators: {
    title: 'simulators: frames and messages on one core, and a past for 1,000 devices',
    rows: ({ isQuick }) => simulatorRows(isQuick ? 14 : 365),
  },
  mqtt: { title: 'MQTT: bare aedes and ours by turns', rows: brokerRows },
  'mqtt-connections': {
    title: 'MQTT: many TLS connections that all come back',
    rows: connectionRows,
  },
  abuse: {
    title: 'MQTT: strangers who do what they can, and honest devices, four minutes',
    rows: abuseRows,
  },
  'end-to-end': {
    title: 'end to end: MQTT QoS 1 → ledger → built-in codec → InfluxDB (GOGC=400), 5,000 devices',
    rows: ({ isQuick }) => endToEndRows('built-in', isQuick),
  },
  'end-to-end-script': {
    title: 'the same by a JavaScript codec in its sandbox',
    rows: ({ isQuick }) => endToEndRows('script', isQuick),
  },
};

async function frameRows(): Promise<Row[]> {
  const frames = await rawFrames();
  const row = (what: string, rate: number, atLeast: string, aim: string) => ({
    ...{ what: `raw frames per core, ${what}`, measured: perSecond(rate), atLeast, aim },
  });
  return [
    row('10,000 sessions', frames.framesPerSecond, '25,000/s', '60,000/s'),
    row('100,000 sessions', frames.framesPerSecondManySessions, '25,000/s', '60,000/s'),
    row('32 devices on each DevAddr', frames.framesPerSecondSharedAddress, '10,000/s', '—'),
  ];
}

function hostileFrameRows(count: number): Row[] {
  const what = `hostile frames taken for valid, of ${count.toLocaleString('en')}`;
  return [{ what, measured: String(hostileFramesTaken(count)), atLeast: '0', aim: '0' }];
}

function adapterRows(): Row[] {
  return adapterRates().map(({ name, perSecond: rate, atLeast }) => ({
    what: `adapter ${name}, uplinks per core`,
    ...{ measured: perSecond(rate), atLeast: perSecond(atLeast), aim: '—' },
  }));
}

function qualityRows(): Row[] {
  return qualityRates().map(({ name, perSecond: rate, atLeast }) => ({
    what: name,
    ...{ measured: perSecond(rate), atLeast: perSecond(atLeast), aim: '—' },
  }));
}

async function codecRows(uplinks: number): Promise<Row[]> {
  const rates = await codecRates({ uplinks });
  return rates.map(({ what, perSecond: rate, atLeast, aim }) => ({
    what: `codec, ${what}, uplinks per core`,
    ...{ measured: perSecond(rate), atLeast: perSecond(atLeast) },
    aim: aim === undefined ? '—' : perSecond(aim),
  }));
}

async function hostileCodecRows(): Promise<Row[]> {
  const hostile = await hostileCodecs();
  const worst = hostile.alone.reduce((first, one) => (one.delayMs > first.delayMs ? one : first));
  return [
    {
      what: 'twelve hostile codecs at once: worst delay of an honest uplink (without them)',
      measured: `${hostile.togetherMs.toFixed(0)} ms (${hostile.quietMs.toFixed(0)} ms)`,
      ...{ atLeast: '300 ms', aim: '—' },
    },
    {
      what: 'the same twelve, each of which has given data before and is trusted',
      measured: `${hostile.turnedMs.toFixed(0)} ms`,
      ...{ atLeast: '—', aim: '300 ms' },
    },
    {
      what: `a hostile codec by itself, the worst of twelve (${worst.what})`,
      measured: `${worst.delayMs.toFixed(0)} ms`,
      ...{ atLeast: '300 ms', aim: '—' },
    },
    {
      what: 'memory that hostile codecs keep; uplinks decoded wrongly meanwhile',
      measured: `${hostile.keptMb.toFixed(0)} MB; ${hostile.wrong}`,
      ...{ atLeast: '50 MB; 0', aim: '—' },
    },
  ];
}

async function ledgerRows(uplinks: number): Promise<Row[]> {
  const { acceptedPerSecond, threadMicrosecondsEach } = await ledgerAccept({ uplinks });
  const measured = `${perSecond(acceptedPerSecond)}, ${threadMicrosecondsEach.toFixed(1)} µs each`;
  const what = 'ledger.accept to disk, 1 kB, 1,000 under way';
  return [{ what, measured, atLeast: '—', aim: '—' }];
}

async function simulatorRows(days: number): Promise<Row[]> {
  const made = generatorRates();
  const past = await historyRate({ days, devices: 1_000 });
  const { serverUplinksPerSecond, bridgeUplinksPerSecond, modemMessagesPerSecond } = made;
  const uplinks = [serverUplinksPerSecond, bridgeUplinksPerSecond, modemMessagesPerSecond];
  return [
    {
      what: 'simulated LoRaWAN frames, signed and encrypted, per core',
      ...{ measured: perSecond(made.framesPerSecond), atLeast: '30,000/s', aim: '—' },
    },
    {
      what: 'simulated uplinks of network servers, of gateways (copies and all), of modems',
      ...{ measured: uplinks.map(perSecond).join(', '), atLeast: '50,000/s', aim: '—' },
    },
    {
      what: `history, ${past.readings.toLocaleString('en')} readings into the embedded store`,
      measured: `${past.seconds.toFixed(0)} s, ${perSecond(past.readings / past.seconds)}`,
      ...{ atLeast: '300 s a year', aim: '—' },
    },
  ];
}

async function endToEndRows(codec: EndToEndOptions['codec'], isQuick: boolean): Promise<Row[]> {
  const whole = await endToEnd({
    ...{ messages: isQuick ? 30_000 : 200_000, devices: 5_000, viewers: 50, codec },
    halfSeconds: isQuick ? 5 : 20,
  });
  const { half } = whole;
  return [
    {
      what: `uplinks stored end to end, ${codec} codec (${whole.messages.toLocaleString('en')})`,
      ...{ measured: perSecond(whole.storedPerSecond), atLeast: '12,000/s', aim: '30,000/s' },
    },
    {
      what: '… acknowledged and not stored, all runs',
      ...{ measured: `${whole.lost} lost`, atLeast: '0 lost', aim: '0 lost' },
    },
    {
      what: '… acknowledged after fsync, same run',
      ...{ measured: perSecond(whole.acknowledgedPerSecond), atLeast: '—', aim: '—' },
    },
    {
      what: `… publish → PUBACK at ${perSecond(half.rate)}: p50, p99`,
      measured: `${half.pubackP50Ms.toFixed(1)} ms, ${half.pubackP99Ms.toFixed(1)} ms`,
      ...{ atLeast: 'p99 50 ms', aim: 'p99 20 ms' },
    },
    {
      what: `… receipt → WebSocket, 50 viewers: p50, p99 (${half.liveSamples} readings)`,
      measured: `${half.liveP50Ms.toFixed(0)} ms, ${half.liveP99Ms.toFixed(0)} ms`,
      ...{ atLeast: 'p99 500 ms', aim: 'p99 150 ms' },
    },
    {
      what: '… gateway process: CPU an uplink, resident memory',
      measured: `${whole.gatewayMicrosecondsEach.toFixed(0)} µs, ${whole.residentMb.toFixed(0)} MB`,
      ...{ atLeast: '—', aim: '—' },
    },
  ];
}
