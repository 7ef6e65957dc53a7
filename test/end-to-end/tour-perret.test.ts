/**
 * A year of one real sensor, signed and encrypted again, through MQTT as a gateway bridge sends it.
 * The reference is the data set itself.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mqtt from 'mqtt';
import type { UplinkJson } from '../../dashboard/protocol-uplinks.ts';
import {
  type EmsValues,
  type TourPerretFrame,
  tourPerretDevEui,
  tourPerretFrames,
} from '../../simulators/tour-perret.ts';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { bridge, mqttClients } from './accounts.ts';
import { isAllStored, readingsOf, type StoredReading, uplinksAfter } from './gateway-api.ts';

const file = new URL('../fixtures/lorawan-tour-perret/frames.csv.gz', import.meta.url);
const frames = [...tourPerretFrames(gunzipSync(readFileSync(file)).toString(), 'end-to-end')];
const sessions = [...new Map(frames.map(({ session }) => [session.devAddr, session])).values()];

/** In the order of the data set: a frame that repeats the counter before it was retransmitted. */
function isRepeated(index: number): boolean {
  const [before, frame] = [frames[index - 1], frames[index]];
  return before?.phyPayload.equals(frame?.phyPayload ?? Buffer.alloc(0)) === true;
}

const repeats = frames.filter((_, index) => isRepeated(index));
const firsts = frames.filter((_, index) => !isRepeated(index));

/** The sensor joined anew in the middle: from then on it has other keys and another DevAddr. */
function deviceWith(session: TourPerretFrame['session'] | undefined): object {
  return {
    id: tourPerretDevEui,
    kind: 'lorawan',
    codec: 'elsys-generic',
    activation: 'otaa',
    devAddr: session?.devAddr,
    keys: {
      nwkSKey: session?.nwkSKey.toString('hex'),
      appSKey: session?.appSKey.toString('hex'),
    },
  };
}

async function join(gateway: GatewayProcess, session: TourPerretFrame['session'] | undefined) {
  const response = await fetch(`${gateway.http}/api/v1/devices/${tourPerretDevEui}`, {
    method: 'PUT',
    headers: { Authorization: `Bearer ${gateway.token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(deviceWith(session)),
  });
  expect(response.ok).toBe(true);
}

/** Resolves when every one is acknowledged. */
async function publishAll({ mqttPort }: GatewayProcess, some: readonly TourPerretFrame[]) {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${mqttPort}`, { ...bridge });
  await Promise.all(
    some.map(({ topic, payload }) => client.publishAsync(topic, payload, { qos: 1 })),
  );
  await client.endAsync();
}

/** Counters that are missing between one and the next of a session. */
function gapsOf(
  counters: readonly { readonly devAddr: string; readonly fCnt: number }[],
): string[] {
  return counters.flatMap(({ devAddr, fCnt }, index) => {
    const before = counters[index - 1];
    const isGap = before?.devAddr === devAddr && fCnt > before.fCnt + 1;
    return isGap ? [`${devAddr} ${before.fCnt}-${fCnt}`] : [];
  });
}

/** The sensor counts 63 to 1 g; the vocabulary has thousandths of a metre per second squared. */
function acceleration(count: number): number {
  return Math.round((count / 63) * 9.80665 * 1_000) / 1_000;
}

/** The frame as an attacker's gateway sends it: the same bytes, received at another time. */
function heardNow(frame: TourPerretFrame): TourPerretFrame {
  const event = JSON.parse(frame.payload.toString());
  event.rxInfo.gwTime = new Date().toISOString();
  return { ...frame, payload: Buffer.from(JSON.stringify(event)) };
}

describe('A year of frames from the Perret tower', () => {
  let gateway: GatewayProcess;
  let entries: UplinkJson[];
  let accepted: UplinkJson[];
  const stored = new Map<string, StoredReading[]>();
  beforeAll(async () => {
    const config = { mqtt: { clients: mqttClients } };
    gateway = await startGatewayProcess({ config });
    for (const session of sessions) {
      await join(gateway, session);
      await publishAll(
        gateway,
        frames.filter((frame) => frame.session.devAddr === session.devAddr),
      );
    }
    await until('everything is stored', () => isAllStored(gateway));
    entries = await uplinksAfter(gateway, 0);
    accepted = entries.filter(({ outcome }) => outcome === 'accepted');
    for (const reading of await readingsOf(gateway, tourPerretDevEui)) {
      const { quantity, channel } = reading;
      const isAxis = quantity === 'acceleration';
      const series = isAxis ? `${quantity} ${channel}` : quantity;
      const known = stored.get(series);
      if (known === undefined) stored.set(series, [reading]);
      else known.push(reading);
    }
  }, 90_000);
  afterAll(() => gateway.stop());

  it('is of two sessions, with retransmissions', () => {
    expect(sessions).toHaveLength(2);
    expect(repeats.length).toBeGreaterThan(1_000);
  });

  it('is written down whole: each frame once, each retransmission as a copy', () => {
    const copies = entries.filter(({ outcome }) => outcome === 'copy');
    expect(accepted).toHaveLength(firsts.length);
    // Minutes lay between them on the tower; here they come within the copy window.
    expect(copies).toHaveLength(repeats.length);
    expect(entries).toHaveLength(frames.length);
    expect(accepted.map(({ phyPayload }) => phyPayload)).toEqual(
      firsts.map(({ phyPayload }) => phyPayload.toString('hex')),
    );
    const holder = new Map(accepted.map(({ seq, phyPayload }) => [seq, phyPayload]));
    expect(copies.map(({ copyOf = 0 }) => holder.get(copyOf))).toEqual(
      repeats.map(({ phyPayload }) => phyPayload.toString('hex')),
    );
  });

  it('is proven by its MIC and opened', () => {
    expect(accepted.map(({ frmPayload }) => frmPayload)).toEqual(
      firsts.map(({ frmPayload }) => frmPayload.toString('hex')),
    );
    expect(new Set(accepted.map(({ vouchedBy }) => vouchedBy))).toEqual(new Set(['mic']));
    expect(entries.filter(({ fault }) => fault !== undefined)).toEqual([]);
  });

  it('shows the frames that were lost on the air as gaps of the counter', () => {
    const counters = accepted.map(({ devAddr = '', fCnt = -1 }) => ({ devAddr, fCnt }));
    const inDataSet = firsts.map(({ row, session }) => ({ ...row, ...session }));
    expect(gapsOf(counters)).toEqual(gapsOf(inDataSet));
    expect(gapsOf(inDataSet)).toHaveLength(2);
  });

  const columns: readonly [quantity: string, unit: string, of: (values: EmsValues) => number][] = [
    ['air_temperature', 'Cel', ({ temperature }) => temperature],
    ['relative_humidity', '%', ({ humidity }) => humidity],
    ['battery_voltage', 'V', ({ vdd }) => vdd / 1_000],
    ['motion_count', '', ({ accelerationMotion }) => accelerationMotion],
    ['acceleration x', 'm/s2', ({ x }) => acceleration(x)],
    ['acceleration y', 'm/s2', ({ y }) => acceleration(y)],
    ['acceleration z', 'm/s2', ({ z }) => acceleration(z)],
  ];
  it.each(columns)('has the values of every row in the store: %s', (series, unit, read) => {
    const readings = stored.get(series) ?? [];
    const inDataSet = firsts.map(({ row }) => [
      new Date(row.time).toISOString(),
      row.values && read(row.values),
    ]);
    expect(readings.map(({ time, value }) => [time, value])).toEqual(inDataSet.sort());
    expect(new Set(readings.map((reading) => reading.unit))).toEqual(new Set([unit]));
  });

  it('tells the same message sent again from an old frame sent again', async () => {
    const again = frames.slice(-5);
    await publishAll(gateway, again);
    const redelivered = 'outcome="redelivery"';
    expect(await gateway.metric('fieldgate_uplinks_total', redelivered)).toBe(again.length);
    expect(await uplinksAfter(gateway, frames.length)).toEqual([]);
    const devAddr = sessions.at(-1)?.devAddr;
    const recorded = firsts.filter(({ session }) => session.devAddr === devAddr);
    await publishAll(gateway, recorded.slice(0, 3).map(heardNow));
    const written = await uplinksAfter(gateway, frames.length);
    expect(written).toHaveLength(3);
    for (const { outcome, fault, device } of written) {
      expect([outcome, fault?.code, device]).toEqual([
        'replayed',
        'FRAME_REPLAYED',
        tourPerretDevEui,
      ]);
    }
    expect(await gateway.metric('fieldgate_faults_total', 'code="FRAME_REPLAYED"')).toBe(3);
  });
});
