/** The broker's rows of the benchmark's table. */
import { abuse } from './abuse.ts';
import { type BrokerFigures, brokerRates, type Variant } from './mqtt-broker.ts';
import { connectionsPossible, holdConnections } from './mqtt-connections.ts';
import type { Row } from './rows.ts';

export async function brokerRows({ isQuick }: { readonly isQuick: boolean }): Promise<Row[]> {
  const rates = await brokerRates({ messages: isQuick ? 10_000 : 60_000, rounds: isQuick ? 1 : 3 });
  const of = (name: Variant): BrokerFigures =>
    rates.get(name) ?? { perSecond: Number.NaN, cpuMicrosecondsEach: Number.NaN };
  const row = (what: string, name: Variant, against: Variant): Row => {
    const { perSecond, cpuMicrosecondsEach } = of(name);
    const more = cpuMicrosecondsEach - of(against).cpuMicrosecondsEach;
    const rate = `${Math.round(perSecond).toLocaleString('en')}/s`;
    const share = (perSecond / of(against).perSecond).toFixed(2);
    const cost = `${cpuMicrosecondsEach.toFixed(1)} µs (${more >= 0 ? '+' : ''}${more.toFixed(1)})`;
    const isAsked = name === 'durable';
    const measured = `${rate}, × ${share}, ${cost} each`;
    return { what, measured, atLeast: isAsked ? '× 0.80' : '—', aim: '—' };
  };
  return [
    row('MQTT QoS 1, 250 B: bare aedes', 'bare', 'bare'),
    row('… with our limits and receipts, against bare', 'limits', 'bare'),
    row('… and each message on disk before its PUBACK, against bare', 'durable', 'bare'),
    row('… and an ACL of 21 filters, against limits', 'acl', 'limits'),
    row('… and TLS 1.3, against limits', 'tls', 'limits'),
    row('bare aedes with TLS 1.3, against bare', 'bareTls', 'bare'),
  ];
}

export async function connectionRows({ isQuick }: { readonly isQuick: boolean }): Promise<Row[]> {
  const count = isQuick ? 500 : connectionsPossible();
  const held = await holdConnections(count);
  const connections = count.toLocaleString('en');
  return [
    {
      what: `${connections} idle TLS connections: memory of each`,
      measured: `${held.kilobytesEach.toFixed(0)} kB, connected in ${held.connectSeconds.toFixed(0)} s`,
      atLeast: '—',
      aim: '—',
    },
    {
      what: `… all reconnect, each has a message acknowledged`,
      measured: `${held.lost} lost, in ${held.stormSeconds.toFixed(0)} s`,
      atLeast: '0 lost, 60 s',
      aim: '—',
    },
  ];
}

export async function abuseRows({ isQuick }: { readonly isQuick: boolean }): Promise<Row[]> {
  const packets = isQuick ? 10_000 : 100_000;
  const idle = isQuick ? 500 : connectionsPossible();
  const found = await abuse({
    ...{ packets, idle, flaps: isQuick ? 2_000 : 20_000, subscribers: 200 },
    ...(isQuick ? { warmSeconds: 5, restSeconds: 5 } : { warmSeconds: 60, restSeconds: 60 }),
  });
  const { cold, warm, peak, after } = found;
  const more = (mb: number) => `${mb >= 0 ? '+' : ''}${mb.toFixed(0)} MB`;
  const count = (value: number) => value.toLocaleString('en');
  return [
    {
      what: `PUBACKs amid ${count(packets)} damaged packets and twice ${count(idle)} connections: p50, p99`,
      measured: `${found.p50Ms.toFixed(0)} ms, ${found.p99Ms.toFixed(0)} ms of ${count(found.acknowledged)}`,
      ...{ atLeast: 'p99 200 ms', aim: '—' },
    },
    {
      what: `… in the worst phase (${found.worst.phase})`,
      measured: `${found.worst.p50Ms.toFixed(0)} ms, ${found.worst.p99Ms.toFixed(0)} ms`,
      ...{ atLeast: 'p99 200 ms', aim: '—' },
    },
    {
      what: `own memory ${isQuick ? 5 : 60} s later, against the warm gateway before; against its start`,
      measured: `${more(after.ownMb - warm.ownMb)}; ${more(after.ownMb - cold.ownMb)}`,
      ...{ atLeast: '+100 MB', aim: '—' },
    },
    {
      what: `… at its highest, against the warm gateway`,
      measured: `${more(peak.ownMb - warm.ownMb)} (${peak.phase})`,
      ...{ atLeast: '—', aim: '—' },
    },
    {
      what: `all resident memory, pages of the ledger's files included: start, warm, later`,
      measured: `${[cold, warm, after].map(({ residentMb }) => residentMb.toFixed(0)).join(', ')} MB`,
      ...{ atLeast: '—', aim: '—' },
    },
  ];
}
