/** The broker's rows of the benchmark's table. */
import { type BrokerFigures, brokerRates, type Variant } from './mqtt-broker.ts';
import { abuse, connectionsPossible, holdConnections } from './mqtt-connections.ts';
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
  const strangers = await abuse(count, isQuick ? 10_000 : 100_000);
  const connections = count.toLocaleString('en');
  const grownMb = strangers.residentAfterMb - strangers.residentBeforeMb;
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
    {
      what: `a device's PUBACK amid ${strangers.packets.toLocaleString('en')} damaged packets: p50, p99`,
      measured: `${strangers.p50Ms.toFixed(0)} ms, ${strangers.p99Ms.toFixed(0)} ms`,
      atLeast: 'p99 200 ms',
      aim: '—',
    },
    {
      what: `… and ${connections} idle connections more: memory afterwards`,
      measured: `${grownMb >= 0 ? '+' : ''}${grownMb.toFixed(0)} MB`,
      atLeast: '+100 MB',
      aim: '—',
    },
  ];
}
