/**
 * Gateways behind a ChirpStack Gateway Bridge (v4, JSON): frames as `event/up`, what the server
 * tells them as `command/down`, and that it was sent as `event/ack`, all over one MQTT account.
 */

import type { FleetDownlink } from '../lorawan/fleet-event.ts';
import { bandwidth } from '../lorawan/propagation.ts';
import { type Account, connectPublisher } from '../mqtt-publisher.ts';
import { gatewayBridgeEnvelopes, regionPrefix } from '../networks/gateway-bridge.ts';
import { type GatewayDoor, type Taken, txPowerDbm } from './door.ts';

export interface BridgeDoorOptions {
  /** `mqtt://host:port` */
  readonly url: string;
  /** May publish on `eu868/gateway/#`; none where the broker lets everybody in. */
  readonly account: Account | undefined;
}

const closeGraceMs = 10_000;

/** Rejects when the broker cannot be reached or refuses the account. */
export async function openBridgeDoor(options: BridgeDoorOptions): Promise<GatewayDoor> {
  const publisher = await connectPublisher({ ...options, clientId: 'simulated-fleet-bridge' });
  let downlinks = 0;
  const publish = (topic: string, payload: Buffer) =>
    new Promise<Taken>((resolve) => {
      const settled = (error?: Error) => resolve(error === undefined ? 'acknowledged' : 'refused');
      publisher.publish(topic, payload, settled);
    });
  return {
    up(uplink, reception) {
      const transmission = { ...uplink.transmission, receptions: [reception] as const };
      const [{ topic, payload }] = gatewayBridgeEnvelopes(uplink.phyPayload, transmission);
      return publish(topic, payload);
    },
    async down(downlink) {
      downlinks += 1;
      const { id: gatewayId } = downlink.answers.gateway;
      const topic = `${regionPrefix}/gateway/${gatewayId}`;
      const command = { downlinkId: downlinks, gatewayId, items: [itemOf(downlink)] };
      const taken = await publish(`${topic}/command/down`, json(command));
      const ack = { gatewayId, downlinkId: downlinks, items: [{ status: 'OK' }] };
      await publish(`${topic}/event/ack`, json(ack));
      return taken;
    },
    unacknowledged: () => 0,
    close: () => publisher.close(closeGraceMs),
  };
}

function itemOf(downlink: FleetDownlink) {
  const { phyPayload, frequency, spreadingFactor, delayMs, answers } = downlink;
  const lora = { bandwidth, spreadingFactor, codeRate: 'CR_4_5', polarizationInversion: true };
  return {
    phyPayload: phyPayload.toString('base64'),
    txInfo: {
      ...{ frequency, power: txPowerDbm, modulation: { lora } },
      timing: { delay: { delay: `${delayMs / 1_000}s` } },
      context: answers.context,
    },
  };
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
