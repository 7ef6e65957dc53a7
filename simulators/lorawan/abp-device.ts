/**
 * A LoRaWAN 1.0 device activated by personalisation: it counts its uplinks in 32 bits, encrypts the
 * payload and signs the frame, as a sensor on the air does. The network never sees more than the
 * lower 16 bits of the counter.
 */
import { createFrameCodec, type DataContent } from './data-frame.ts';
import { abpSession } from './session.ts';

export interface AbpSession {
  /** 8 hex digits, most significant byte first. */
  readonly devAddr: string;
  /** 16 bytes each. */
  readonly nwkSKey: Buffer;
  readonly appSKey: Buffer;
}

export type FrameContent = DataContent & Required<Pick<DataContent, 'fPort' | 'frmPayload'>>;

/** Makes PHYPayloads of one session; the caller keeps the counter. */
export type FrameSigner = (content: FrameContent) => Buffer;

export function createFrameSigner(session: AbpSession): FrameSigner {
  const codec = createFrameCodec(abpSession(session.devAddr, session));
  return (content) => codec.encode('up', content);
}

export interface LorawanDevice {
  /** Signs the next frame: its counter is one above the last one's. */
  uplink(fPort: number, frmPayload: Uint8Array): { phyPayload: Buffer; fCnt: number };
  /** Takes the next counter without making the frame: its network server will not show it. */
  skip(): number;
  /** The counter that the next uplink takes. */
  readonly nextFCnt: () => number;
}

export function createLorawanDevice(session: AbpSession, firstFCnt = 0): LorawanDevice {
  const sign = createFrameSigner(session);
  let fCnt = firstFCnt;
  return {
    uplink(fPort, frmPayload) {
      const frame = { phyPayload: sign({ fPort, frmPayload, fCnt, adr: true }), fCnt };
      fCnt += 1;
      return frame;
    },
    skip() {
      fCnt += 1;
      return fCnt - 1;
    },
    nextFCnt: () => fCnt,
  };
}
