/** One uplink as several networks tell it: two servers, LORIOT's two messages and a raw frame. */
import type { Delivery, Item, LedgerEntry } from '../../gateway/ledger/ledger.ts';
import { openLedgerReader } from '../../gateway/ledger/lmdb-reader.ts';
import type { VerifiedUplink } from '../../gateway/model/uplink.ts';
import { inbound, startTime } from './deliveries.ts';

/** What the device sent, and when the network heard it. */
export interface Sent {
  readonly deviceId?: string;
  readonly fCnt?: number;
  readonly fPort?: number;
  readonly payload?: string;
  readonly rxTime?: number;
}

interface Arrival {
  readonly receivedAt?: number;
  readonly item?: Partial<VerifiedUplink>;
}

const deviceId = '70b3d57ed0000001';
const devAddr = '26011bda';

export type Way = 'chirpstack' | 'things-stack' | 'loriot-rx' | 'loriot-gw' | 'raw-a' | 'raw-b';
export const ways: readonly Way[] = [
  ...(['chirpstack', 'things-stack', 'loriot-rx', 'loriot-gw', 'raw-a', 'raw-b'] as const),
];

/** The same call gives the same message: that is a redelivery. */
export function by(way: Way, sent: Sent = {}, { receivedAt, item = {} }: Arrival = {}): Delivery {
  const { fCnt = 7, fPort = 2, payload = 'cafe', rxTime = startTime } = sent;
  const message = `${way} ${sent.deviceId} ${fCnt} ${fPort} ${payload} ${rxTime}`;
  const uplink: VerifiedUplink = {
    ...{ kind: 'payload', adapter: way, deviceId: sent.deviceId ?? deviceId, fCnt, fPort, rxTime },
    ...{ frmPayload: Buffer.from(payload, 'hex'), vouchedBy: 'network-server' },
    ...{ rxInfo: [{ gatewayId: way }], ...wordsOf(way, message), ...item },
  };
  return {
    inbound: inbound({ body: message, credential: way, receivedAt: receivedAt ?? rxTime }),
    items: [uplink],
  };
}

/** Not everybody tells a DevAddr, a key or a gateway, and not all clocks agree. */
function wordsOf(way: Way, message: string): Partial<VerifiedUplink> {
  switch (way) {
    case 'chirpstack':
      return { devAddr, messageKey: message };
    case 'things-stack':
      return { messageKey: message, rxInfo: [{ gatewayId: 'broker' }, { gatewayId: 'raw-a' }] };
    case 'loriot-rx':
      return { adapter: 'loriot', rxInfo: [] };
    case 'loriot-gw':
      return { adapter: 'loriot' };
    case 'raw-a':
    case 'raw-b':
      return {
        ...{ adapter: 'semtech-udp', devAddr, vouchedBy: 'mic' },
        phyPayload: Buffer.from(message.replace(way, 'frame')),
      };
  }
}

export function entriesIn(directory: string): LedgerEntry[] {
  const reader = openLedgerReader({ directory });
  const entries = reader.read(0, 1_000);
  void reader.close();
  return entries;
}

export function payloadOf(item: Item | undefined): VerifiedUplink {
  if (item?.kind !== 'payload') throw new Error('an uplink');
  return item;
}
