/** Uplinks of a network server for the gateways that these tests start. */
import { time } from './scripts.ts';

/** One byte on port 2, a minute after the one before. */
export function networkUplink(device: string, fCnt: number, byte: number): string {
  return JSON.stringify({
    deduplicationId: `00000000-0000-4000-8000-${device.slice(-4)}0000${String(fCnt).padStart(4, '0')}`,
    time: new Date(time + fCnt * 60_000).toISOString(),
    deviceInfo: { applicationId: 'a', devEui: device, deviceName: device },
    devAddr: '01020304',
    fCnt,
    fPort: 2,
    data: Buffer.from([byte]).toString('base64'),
    rxInfo: [],
  });
}
