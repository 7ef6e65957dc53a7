/**
 * A simulated fleet joins and sends through all three doors of raw frames at once, into the
 * compiled gateway. The oracle is what the simulation has sent, and who acknowledged it.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { UplinkJson } from '../../dashboard/protocol-uplinks.ts';
import { openBridgeDoor } from '../../simulators/doors/bridge-door.ts';
import type { GatewayDoor } from '../../simulators/doors/door.ts';
import { fleetDeviceEntries } from '../../simulators/doors/fleet-config.ts';
import {
  createFleetProgress,
  runFleet,
  type SentUplink,
} from '../../simulators/doors/fleet-run.ts';
import { openForwarderDoor } from '../../simulators/doors/forwarder-door.ts';
import { openStationDoor } from '../../simulators/doors/station-door.ts';
import type { FleetDownlink } from '../../simulators/lorawan/fleet-event.ts';
import { createFleet, type Door } from '../../simulators/lorawan/fleet-plan.ts';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import { isAllStored, readingsOf, type StoredReading, uplinksAfter } from './gateway-api.ts';

const fleet = createFleet({ seed: 'three doors', devices: 60 });
const gatewaysOf = (door: Door) => fleet.gateways.filter((gateway) => gateway.door === door);
const account = { username: 'bridge', password: 'a-test-password' };
const token = 'a-test-token-of-a-station';
const hour = 3_600_000;
const to = Date.now() - hour;
const span = { from: to - 1.2 * hour, to, intervalMs: hour / 12 };

const config = {
  devices: fleetDeviceEntries(fleet),
  ledger: { copyWindowMs: 600_000 },
  mqtt: { clients: [{ ...account, publish: ['eu868/gateway/#'] }] },
  ingest: {
    udp: { port: 0, gateways: gatewaysOf('semtech-udp').map(({ id }) => id) },
    basicStation: {
      port: 0,
      stations: gatewaysOf('basic-station').map(({ id }) => ({ eui: id, token })),
    },
  },
};

/** Frames that the gateway owes: one of its copies was acknowledged, or handed to a station. */
const isOwed = ({ taken }: SentUplink): boolean => taken.some(({ how }) => how !== 'refused');

describe('A fleet at three doors at once', () => {
  let gateway: GatewayProcess;
  let doors: Record<Door, GatewayDoor>;
  const progress = createFleetProgress();
  const uplinks: SentUplink[] = [];
  const downlinks: FleetDownlink[] = [];
  let entries: readonly UplinkJson[];

  beforeAll(async () => {
    gateway = await startGatewayProcess({ config });
    doors = {
      'gateway-bridge': await openBridgeDoor({
        ...{ url: `mqtt://127.0.0.1:${gateway.mqttPort}`, account },
      }),
      'semtech-udp': await openForwarderDoor({
        ...{ host: '127.0.0.1', port: gateway.port('udp'), gateways: gatewaysOf('semtech-udp') },
      }),
      'basic-station': await openStationDoor({
        url: `ws://127.0.0.1:${gateway.port('basic-station')}`,
        ...{ gateways: gatewaysOf('basic-station'), token },
      }),
    };
    const source = 'source="basic-station"';
    const taken = () => gateway.metric('fieldgate_uplinks_total', source);
    let asking: Promise<unknown> | undefined;
    /** One asks for all who wait. */
    const written = async (count: () => number) => {
      asking ??= until('it is written', async () => (await taken()) >= count(), 60_000).finally(
        () => {
          asking = undefined;
        },
      );
      await asking;
    };
    await runFleet({
      ...{ fleet, span, doors, written, progress },
      onUplink: (sent) => uplinks.push(sent),
      onDownlink: (downlink) => downlinks.push(downlink),
    });
    await until('all is stored', () => isAllStored(gateway), 60_000);
    entries = await uplinksAfter(gateway, 0);
  }, 120_000);
  afterAll(async () => {
    await Promise.all(Object.values(doors ?? {}).map((door) => door.close()));
    await gateway?.stop();
  });

  const sentBy = (devEui: string) =>
    uplinks.filter((sent) => sent.uplink.devEui === devEui && isOwed(sent));

  /** Each uplink once, by session and counter, however often it was sent. */
  function readingsSent(devEui: string) {
    const byName = new Map(
      sentBy(devEui).flatMap(({ uplink: { reading } }) =>
        reading === undefined ? [] : [[`${reading.session}/${reading.fCnt}`, reading] as const],
      ),
    );
    return [...byName.values()];
  }

  it('goes in by all of them, with joins and downlinks', () => {
    const ways = uplinks.flatMap(({ taken }) => taken.map(({ door, how }) => `${door} ${how}`));
    expect(new Set(ways)).toEqual(
      new Set(['gateway-bridge acknowledged', 'semtech-udp acknowledged', 'basic-station unknown']),
    );
    const joined = downlinks.filter(({ what }) => what === 'join-accept');
    const doorOf = new Map(fleet.gateways.map(({ id, door }) => [id, door]));
    const answering = joined.map(({ answers }) => doorOf.get(answers.gateway.id));
    expect(new Set(answering).size).toBe(3);
    expect(progress.counts.joins).toBeGreaterThan(50);
  });

  it('has every acknowledged uplink once, with the right counters', () => {
    for (const { identity } of fleet.devices) {
      const accepted = entries.filter(
        ({ device, outcome: what, fCnt }) =>
          device === identity.devEui && what === 'accepted' && fCnt !== undefined,
      );
      const counters = readingsSent(identity.devEui).map(({ fCnt }) => fCnt);
      expect([identity.devEui, accepted.map(({ fCnt }) => fCnt)]).toEqual([
        identity.devEui,
        counters,
      ]);
    }
  });

  it('says `mic` on every reading, and every value is the one that was sent', async () => {
    let readings = 0;
    for (const { identity } of fleet.devices) {
      const stored: StoredReading[] = await readingsOf(gateway, identity.devEui);
      const others = stored.filter(({ vouchedBy }) => vouchedBy !== 'mic');
      expect(others).toEqual([]);
      readings += stored.length;
      const valuesOf = (part: string) =>
        stored.filter(({ quantity }) => quantity.includes(part)).map(({ value }) => value);
      const sent = readingsSent(identity.devEui);
      expect(valuesOf('temperature')).toEqual(sent.map(({ temperature }) => temperature));
      expect(valuesOf('humidity')).toEqual(sent.map(({ humidity }) => humidity));
    }
    expect(readings).toBeGreaterThan(1_200);
  });

  it('lets every join be heard, and nothing be taken for a fault', () => {
    const events = entries.filter(({ outcome: what }) => what === 'event');
    const accepts = events.filter(({ event }) => event === 'join-accept');
    const told = downlinks.filter(({ what }) => what === 'join-accept');
    expect(accepts.length).toBe(told.length);
    const faults = entries.flatMap(({ fault, device }) =>
      fault === undefined ? [] : [`${fault.code} ${device} ${fault.detail}`],
    );
    expect(faults).toEqual([]);
  });

  it('hears what devices answer to MAC commands', async () => {
    const asked = await Promise.all(
      fleet.devices.map(({ identity }) => readingsOf(gateway, identity.devEui, 'battery_level')),
    );
    expect(asked.filter((readings) => readings.length > 0).length).toBeGreaterThan(40);
  });
});
