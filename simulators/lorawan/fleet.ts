/**
 * A fleet on the air: devices wake, join and send, frames meet, gateways hear, the network answers.
 * Time is simulated and nothing is sent anywhere: what comes out is what gateways hear and what
 * their server tells them, in order. The same seed gives the same bytes.
 */
import { createAir } from './air.ts';
import { createDutyCycle } from './airtime.ts';
import { createEventQueue } from './event-queue.ts';
import { joinChannels, startAgent, type World } from './fleet-agent.ts';
import { createCounts, type FleetCounts, type FleetEvent, type FleetSpan } from './fleet-event.ts';
import type { FleetMemory } from './fleet-memory.ts';
import { type Fleet, netId } from './fleet-plan.ts';
import { createNetworkServer } from './network-server.ts';
import { channels } from './propagation.ts';

/**
 * `counts` is filled while the events are taken; `memory`, of an earlier run, at their end, or when
 * no more of them are taken.
 */
export function* fleetEvents(
  fleet: Fleet,
  span: FleetSpan,
  counts: FleetCounts = createCounts(),
  memory: FleetMemory = new Map(),
): Generator<FleetEvent> {
  const out: FleetEvent[] = [];
  const world: World = {
    ...{ fleet, span, counts, queue: createEventQueue(), air: createAir(), out },
    network: createNetworkServer(
      fleet.devices.map(({ identity }) => identity),
      { seed: fleet.seed, netId, frequencies: channels.slice(joinChannels), memory },
    ),
    gatewayDuty: new Map(fleet.gateways.map(({ id }) => [id, createDutyCycle()])),
  };
  const started = fleet.devices.map((device) => {
    const { devEui } = device.identity;
    return { devEui, radio: startAgent(world, device, memory.get(devEui)) };
  });
  try {
    while (world.queue.runNext() !== undefined) yield* out.splice(0);
  } finally {
    for (const { devEui, radio } of started) {
      memory.set(devEui, { ...radio.memory(), ...world.network.memoryOf(devEui) });
    }
  }
}
