/**
 * Sends what a fleet's gateways hear through their doors, all at once: each device's messages in
 * their order, those of different devices side by side, as fast as they are acknowledged.
 */
import { fleetEvents } from '../lorawan/fleet.ts';
import {
  createCounts,
  type FleetCounts,
  type FleetDownlink,
  type FleetEvent,
  type FleetSpan,
  type FleetUplink,
} from '../lorawan/fleet-event.ts';
import type { Door, Fleet } from '../lorawan/fleet-plan.ts';
import type { Reception } from '../lorawan/radio.ts';
import type { GatewayDoor, Taken } from './door.ts';

export interface FleetRun {
  readonly fleet: Fleet;
  readonly span: FleetSpan;
  readonly doors: Readonly<Record<Door, GatewayDoor>>;
  /**
   * Resolves once the gateway has written down all that was handed in and that nobody acknowledges,
   * of which `count` tells the number by now. Here seconds of the air pass in no time, so that
   * otherwise a device's next frame, by another door, could overtake its last one.
   */
  readonly written: (count: () => number) => Promise<void>;
  readonly signal?: AbortSignal;
}

export interface SentUplink {
  readonly uplink: FleetUplink;
  /** By gateway id, in the order of the receptions. */
  readonly taken: readonly {
    readonly gatewayId: string;
    readonly door: Door;
    readonly how: Taken;
  }[];
}

export interface FleetOutcome {
  readonly uplinks: readonly SentUplink[];
  readonly downlinks: readonly FleetDownlink[];
  readonly counts: FleetCounts;
}

/** Events under way or waiting for their device's last one. */
const eventsMax = 64;

export async function runFleet(run: FleetRun): Promise<FleetOutcome> {
  const counts = createCounts();
  const uplinks: SentUplink[] = [];
  const downlinks: FleetDownlink[] = [];
  const lanes = new Map<string, Promise<void>>();
  const underWay = new Set<Promise<void>>();
  const deliver = createDelivery(run);
  for (const event of fleetEvents(run.fleet, run.span, counts)) {
    if (run.signal?.aborted === true) break;
    while (underWay.size >= eventsMax) await Promise.race(underWay);
    const before = lanes.get(event.devEui) ?? Promise.resolve();
    const sending: Promise<void> = before.then(async () => {
      const taken = await deliver(event);
      if (event.kind === 'up') uplinks.push({ uplink: event, taken });
      else downlinks.push(event);
      underWay.delete(sending);
    });
    lanes.set(event.devEui, sending);
    underWay.add(sending);
  }
  await Promise.all(underWay);
  return { uplinks, downlinks, counts };
}

function createDelivery({ fleet, doors, written }: FleetRun) {
  const doorOf = new Map(fleet.gateways.map(({ id, door }) => [id, door]));

  async function hand(
    { gateway }: Reception,
    how: (door: GatewayDoor) => Promise<Taken>,
  ): Promise<SentUplink['taken'][number]> {
    const name = doorOf.get(gateway.id) ?? 'gateway-bridge';
    const door = doors[name];
    const taken = { gatewayId: gateway.id, door: name, how: await how(door) };
    if (taken.how === 'unknown') await written(() => door.unacknowledged());
    return taken;
  }

  return (event: FleetEvent): Promise<SentUplink['taken']> => {
    if (event.kind === 'down') {
      return Promise.all([hand(event.answers, (door) => door.down(event))]);
    }
    const { receptions } = event.transmission;
    return Promise.all(
      receptions.map((reception) => hand(reception, (door) => door.up(event, reception))),
    );
  };
}
