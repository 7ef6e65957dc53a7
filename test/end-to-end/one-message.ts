/** One message on a connection of its own, and whether it was acknowledged: for failing disks. */
import type { GatewayProcess } from '../setup/gateway-process.ts';
import { connectPacket, openRaw, publishPacket } from '../transports/mqtt/wire.ts';
import { modem, modemId } from './accounts.ts';

export interface OneMessage {
  readonly value: number;
  readonly qos: 1 | 2;
  /** Added to the body, so that it needs room that nothing has used before. */
  readonly ballastBytes?: number;
  readonly dup?: boolean;
}

export const firstTime = Date.UTC(2026, 0, 1);

/** True for PUBACK or PUBREC, false when the connection was refused or ended without one. */
export async function sendOne(gateway: GatewayProcess, message: OneMessage): Promise<boolean> {
  const { value, qos, ballastBytes = 0, dup = false } = message;
  const client = await openRaw(gateway.mqttPort).catch(() => undefined);
  if (client === undefined) return false;
  client.send(connectPacket({ ...modem, clientId: `sender-${value}` }));
  const sample = { ts: firstTime + value * 1_000, values: { illuminance: value } };
  const payload = JSON.stringify({ ...sample, ballast: 'x'.repeat(ballastBytes) });
  client.send(publishPacket({ topic: `up/${modemId}`, payload, qos, id: 1 + value, dup }));
  const answer = await client.bytes(8).catch(() => client.received());
  client.socket.destroy();
  return answer.slice(8, 10) === (qos === 1 ? '40' : '50');
}
