/**
 * `npm run bench`: every row of the budgets that can be measured here, with what was asked of it.
 */
import { adapterRates } from './adapters.ts';
import { codecRates } from './codecs.ts';
import { endToEnd } from './end-to-end.ts';
import { hostileCodecs } from './hostile-codecs.ts';
import { hostileFramesTaken } from './hostile-frames.ts';
import { ledgerAccept } from './ledger-accept.ts';
import { brokerRows, connectionRows } from './mqtt-rows.ts';
import { qualityRates } from './quality.ts';
import { rawFrames } from './raw-frames.ts';
import { generatorRates, historyRate } from './simulators.ts';

interface Row {
  readonly what: string;
  readonly measured: string;
  readonly atLeast: string;
  readonly aim: string;
}

const isQuick = process.argv.includes('--quick');
const rows: Row[] = [];

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function perSecond(value: number): string {
  return `${Math.round(value).toLocaleString('en')}/s`;
}

say('raw frames: parse, session lookup, MIC, decryption on one core …');
const frames = await rawFrames();
rows.push({
  what: 'raw frames per core, 10,000 sessions',
  measured: perSecond(frames.framesPerSecond),
  atLeast: '25,000/s',
  aim: '60,000/s',
});
rows.push({
  what: 'raw frames per core, 100,000 sessions',
  measured: perSecond(frames.framesPerSecondManySessions),
  atLeast: '25,000/s',
  aim: '60,000/s',
});
rows.push({
  what: 'raw frames per core, 32 devices on each DevAddr',
  measured: perSecond(frames.framesPerSecondSharedAddress),
  atLeast: '10,000/s',
  aim: '—',
});

say('random and mutated frames: none may be taken for valid …');
const hostileCount = isQuick ? 100_000 : 1_000_000;
rows.push({
  what: `hostile frames taken for valid, of ${hostileCount.toLocaleString('en')}`,
  measured: String(hostileFramesTaken(hostileCount)),
  atLeast: '0',
  aim: '0',
});

say('adapters: published messages on one core …');
for (const { name, perSecond: rate, atLeast } of adapterRates()) {
  rows.push({
    what: `adapter ${name}, uplinks per core`,
    measured: perSecond(rate),
    atLeast: perSecond(atLeast),
    aim: '—',
  });
}

say('quality control and built-in codecs on one core …');
for (const { name, perSecond: rate, atLeast } of qualityRates()) {
  rows.push({ what: name, measured: perSecond(rate), atLeast: perSecond(atLeast), aim: '—' });
}

say('codecs: built-in, and a script in its sandbox …');
for (const { what, perSecond: rate, atLeast, aim } of await codecRates({
  uplinks: isQuick ? 40_000 : 200_000,
})) {
  rows.push({
    what: `codec, ${what}, uplinks per core`,
    measured: perSecond(rate),
    atLeast: perSecond(atLeast),
    aim: aim === undefined ? '—' : perSecond(aim),
  });
}

say('codecs: twelve hostile ones beside honest devices …');
const hostile = await hostileCodecs();
const worstAlone = hostile.alone.reduce((worst, one) =>
  one.delayMs > worst.delayMs ? one : worst,
);
rows.push(
  {
    what: 'twelve hostile codecs at once: worst delay of an honest uplink (without them)',
    measured: `${hostile.togetherMs.toFixed(0)} ms (${hostile.quietMs.toFixed(0)} ms)`,
    atLeast: '300 ms',
    aim: '—',
  },
  {
    what: `a hostile codec by itself, the worst of twelve (${worstAlone.what})`,
    measured: `${worstAlone.delayMs.toFixed(0)} ms`,
    atLeast: '300 ms',
    aim: '—',
  },
  {
    what: 'memory that hostile codecs keep; uplinks decoded wrongly meanwhile',
    measured: `${hostile.keptMb.toFixed(0)} MB; ${hostile.wrong}`,
    atLeast: '50 MB; 0',
    aim: '—',
  },
);

say('ledger: accept to disk …');
const ledger = await ledgerAccept({ uplinks: isQuick ? 20_000 : 100_000 });
rows.push({
  what: 'ledger.accept to disk, 1 kB, 1,000 under way',
  measured: `${perSecond(ledger.acceptedPerSecond)}, ${ledger.threadMicrosecondsEach.toFixed(1)} µs each`,
  atLeast: '—',
  aim: '—',
});

say('simulators: frames and messages on one core, and a past for 1,000 devices …');
const made = generatorRates();
const past = await historyRate({ days: isQuick ? 14 : 365, devices: 1_000 });
rows.push(
  {
    what: 'simulated LoRaWAN frames, signed and encrypted, per core',
    measured: perSecond(made.framesPerSecond),
    atLeast: '30,000/s',
    aim: '—',
  },
  {
    what: 'simulated uplinks of network servers, of gateways (copies and all), of modems',
    measured: [
      made.serverUplinksPerSecond,
      made.bridgeUplinksPerSecond,
      made.modemMessagesPerSecond,
    ]
      .map(perSecond)
      .join(', '),
    atLeast: '50,000/s',
    aim: '—',
  },
  {
    what: `history, ${past.readings.toLocaleString('en')} readings into the embedded store`,
    measured: `${past.seconds.toFixed(0)} s, ${perSecond(past.readings / past.seconds)}`,
    atLeast: '300 s a year',
    aim: '—',
  },
);

say('MQTT: bare aedes and ours by turns …');
rows.push(...(await brokerRows({ isQuick })));
say('MQTT: many TLS connections, then strangers …');
rows.push(...(await connectionRows({ isQuick })));

say('end to end: MQTT QoS 1 → ledger → codec → InfluxDB, 5,000 devices …');
const whole = await endToEnd({
  messages: isQuick ? 30_000 : 200_000,
  devices: 5_000,
  viewers: 50,
  halfSeconds: isQuick ? 5 : 20,
});
const { half } = whole;
rows.push(
  {
    what: `uplinks stored end to end (${whole.messages.toLocaleString('en')} of 5,000 devices)`,
    measured: perSecond(whole.storedPerSecond),
    atLeast: '12,000/s',
    aim: '30,000/s',
  },
  {
    what: 'acknowledged and not stored, all runs',
    measured: `${whole.lost} lost`,
    atLeast: '0 lost',
    aim: '0 lost',
  },
  {
    what: 'acknowledged after fsync, same run',
    measured: perSecond(whole.acknowledgedPerSecond),
    atLeast: '—',
    aim: '—',
  },
  {
    what: `publish → PUBACK at ${perSecond(half.rate)}: p50, p99`,
    measured: `${half.pubackP50Ms.toFixed(1)} ms, ${half.pubackP99Ms.toFixed(1)} ms`,
    atLeast: 'p99 50 ms',
    aim: 'p99 20 ms',
  },
  {
    what: `receipt → WebSocket, 50 viewers: p50, p99 (${half.liveSamples} readings)`,
    measured: `${half.liveP50Ms.toFixed(0)} ms, ${half.liveP99Ms.toFixed(0)} ms`,
    atLeast: 'p99 500 ms',
    aim: 'p99 150 ms',
  },
  {
    what: 'gateway process: CPU an uplink, resident memory',
    measured: `${whole.gatewayMicrosecondsEach.toFixed(0)} µs, ${whole.residentMb.toFixed(0)} MB`,
    atLeast: '—',
    aim: '—',
  },
);
print(rows);

function print(table: readonly Row[]): void {
  const head: Row = { what: 'what', measured: 'measured', atLeast: 'at least', aim: 'aim' };
  const width = (key: keyof Row) => Math.max(...[head, ...table].map((row) => row[key].length));
  const line = (row: Row) =>
    `| ${row.what.padEnd(width('what'))} | ${row.measured.padEnd(width('measured'))} | ${row.atLeast.padEnd(width('atLeast'))} | ${row.aim.padEnd(width('aim'))} |`;
  const rule = { what: '', measured: '', atLeast: '', aim: '' };
  process.stdout.write(`${line(head)}\n${line(rule).replaceAll(' ', '-')}\n`);
  for (const row of table) process.stdout.write(`${line(row)}\n`);
}
