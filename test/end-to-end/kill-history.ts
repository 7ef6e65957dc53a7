/**
 * The client side of a kill test: senders that never give up, and what they know to have been
 * acknowledged, as the oracle for what has to be in the ledger.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { GatewayProcess } from '../setup/gateway-process.ts';
import { networkServer } from './accounts.ts';
import { type Message, type ResendingClient, startResendingClient } from './resending-client.ts';

export const firstTime = Date.UTC(2026, 0, 1);

export interface History {
  /** Identifiers of the messages that have their PUBACK or PUBREC. */
  acknowledged(): number[];
  sent(): number;
  resent(): number;
  readonly devices: readonly string[];
  /** Sends nothing new; resolves when everything is acknowledged. */
  finish(): Promise<void>;
}

export interface HistoryOptions {
  /** The gateway of the moment. */
  readonly gateway: () => GatewayProcess;
  readonly clients: number;
  /** Between two messages of one client. */
  readonly everyMs: number;
}

/** Half of the messages go at QoS 1, half at 2; half of the clients mark what they send again. */
export function startHistory({ gateway, clients, everyMs }: HistoryOptions): History {
  const file = resolve('test/fixtures/lns/tts-v3-uplink.json');
  const sample = readFileSync(file, 'utf8');
  let sent = 0;
  const devices = Array.from({ length: clients }, (_, index) => deviceOf(index));
  const senders: ResendingClient[] = devices.map((device, index) =>
    startResendingClient({
      port: () => gateway().mqttPort,
      account: networkServer,
      clientId: `client-${index}`,
      marksDup: index % 2 === 0,
      next: () => {
        sent += 1;
        return messageOf(sent, device, sample);
      },
      everyMs,
    }),
  );
  return {
    acknowledged: () => senders.flatMap((sender) => [...sender.acknowledged]),
    sent: () => sent,
    resent: () => senders.reduce((sum, sender) => sum + sender.resent(), 0),
    devices,
    finish: async () => {
      await Promise.all(senders.map((sender) => sender.finish()));
    },
  };
}

function deviceOf(index: number): string {
  return `02f1e1d5${index.toString(16).padStart(8, '0')}`;
}

/** Every message is told apart by its time; its value is its id, so that a reading shows it too. */
function messageOf(id: number, device: string, sample: string): Message {
  const event = JSON.parse(sample);
  const time = new Date(firstTime + id).toISOString();
  event.end_device_ids = { dev_eui: device, device_id: device };
  event.received_at = time;
  event.correlation_ids = [`as:up:${id}`];
  event.uplink_message.received_at = time;
  event.uplink_message.f_cnt = id;
  event.uplink_message.decoded_payload = { luminosity: id };
  event.uplink_message.rx_metadata = [];
  event.uplink_message.settings.time = time;
  const topic = `v3/app1/devices/${device}/up`;
  return { id, topic, payload: Buffer.from(JSON.stringify(event)), qos: id % 2 === 0 ? 1 : 2 };
}

/** Which ids are not there, and which are there without need: again, or never acknowledged. */
export function differenceOf(found: readonly number[], wanted: readonly number[]) {
  const awaited = new Set(wanted);
  const tooMany = found.filter((id) => !awaited.delete(id));
  return { missing: [...awaited], tooMany };
}
