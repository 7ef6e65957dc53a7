/** Deliveries and directories for the ledger's tests. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Delivery, Item, Outcome, Receipt } from '../../gateway/ledger/ledger.ts';
import type { Inbound } from '../../gateway/model/inbound.ts';
import type { VerifiedUplink } from '../../gateway/model/uplink.ts';

/** 2024-05-01T00:00:00Z */
export const startTime = 1_714_521_600_000;

interface Variation extends Partial<Omit<Inbound, 'sender' | 'body'>> {
  readonly body?: string;
  readonly credential?: string;
  readonly connection?: string;
}

export function inbound(variation: Variation = {}): Inbound {
  const { body = '{}', credential = 'meter-7', connection = 'c1', ...rest } = variation;
  return {
    transport: 'mqtt',
    route: 'up/meter-7',
    receivedAt: startTime,
    dup: false,
    ...rest,
    body: Buffer.from(body),
    sender: { credential, connection, vouches: 'credential' },
  };
}

/** A modem's body without any time, counter or key. */
export const bareUplink: VerifiedUplink = {
  kind: 'payload',
  adapter: 'modem',
  deviceId: 'meter-7',
  vouchedBy: 'credential',
  rxInfo: [],
};

export function bare(variation: Variation = {}): Delivery {
  return { inbound: inbound(variation), items: [bareUplink] };
}

/** An uplink with a key and a time of its own, but without a counter. */
export function keyed(messageKey: string, item: Partial<VerifiedUplink> = {}): Delivery {
  const uplink: VerifiedUplink = {
    ...{ ...bareUplink, adapter: 'chirpstack-v4', vouchedBy: 'network-server', messageKey },
    ...{ rxTime: startTime, frmPayload: Buffer.from('cafe', 'hex') },
    ...item,
  };
  return { inbound: inbound({ body: `{"id":"${messageKey}"}` }), items: [uplink] };
}

interface Reception extends Variation {
  readonly deviceId?: string;
  readonly devAddr?: string;
  /** The payload as text, for the tests' eyes. */
  readonly content?: string;
  readonly gatewayId?: string;
}

export function frameItem(fCnt: number, reception: Reception = {}): Item {
  const {
    deviceId = '70b3d57ed0000001',
    devAddr = '26011bda',
    gatewayId = 'gateway-a',
    content = `payload ${fCnt}`,
  } = reception;
  return {
    ...{ kind: 'payload', adapter: 'semtech-udp', vouchedBy: 'mic', deviceId, devAddr, fCnt },
    ...{
      phyPayload: Buffer.from(`frame of ${content}`),
      fPort: 2,
      frmPayload: Buffer.from(content),
    },
    rxInfo: [{ gatewayId, rssi: -100, snr: 5 }],
  };
}

/** A frame as one gateway heard it. */
export function frame(fCnt: number, reception: Reception = {}): Delivery {
  const { deviceId, devAddr, content, gatewayId = 'gateway-a', ...variation } = reception;
  const item = frameItem(fCnt, reception);
  const body = `${gatewayId} heard ${deviceId} ${devAddr} ${fCnt} ${content}`;
  return { inbound: inbound({ body, credential: gatewayId, ...variation }), items: [item] };
}

export function outcomes(receipts: readonly Receipt[]): Outcome[] {
  return receipts.map(({ outcome }) => outcome);
}

/** Runs with a new directory and removes it. */
export async function withDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'fieldgate-ledger-'));
  try {
    await run(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
