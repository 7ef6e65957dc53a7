import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type CmacKey, createCmacKey } from '../../gateway/lorawan/cmac.ts';
import { parseFrame } from '../../gateway/lorawan/frame.ts';
import {
  bareMic,
  dataMic,
  downlinkMic11,
  isSameMic,
  uplinkMic11,
} from '../../gateway/lorawan/frame-mic.ts';
import {
  bytes,
  dataFrame,
  dataVectors,
  fCntMsb,
  frameOf,
  keyOf,
  loraPacket,
  number,
  ofKind,
  text,
  type Vector,
  vectorOf,
} from './vectors.ts';

const cmacKey = (vector: Vector, name: string): CmacKey => createCmacKey(keyOf(vector, name));
const key16 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((key) => Buffer.from(key));

function micOf(vector: Vector): string {
  const frame = frameOf(vector);
  const fCnt = number(vector.context, 'fCnt32');
  if (vector.lorawan === '1.0') {
    return dataMic(cmacKey(vector, 'NwkSKey'), frame, fCnt).toString('hex');
  }
  const sNwkSIntKey = cmacKey(vector, 'SNwkSIntKey');
  const confFCnt = number(vector.context, 'confFCnt');
  if (frame.direction === 'down') {
    return downlinkMic11(sNwkSIntKey, frame, fCnt, confFCnt).toString('hex');
  }
  const keys = { fNwkSIntKey: cmacKey(vector, 'FNwkSIntKey'), sNwkSIntKey };
  const context = {
    confFCnt,
    txDr: number(vector.context, 'txDr'),
    txCh: number(vector.context, 'txCh'),
  };
  return uplinkMic11(keys, frame, fCnt, context).toString('hex');
}

describe('Message integrity codes', () => {
  it.each(dataVectors)('are those of the data frame $id', (vector) => {
    expect(micOf(vector)).toBe(vector.expect['mic']);
  });

  it('are those of The Things Stack for all four kinds of data frames', () => {
    const vector = vectorOf('tts-mic');
    const unsigned = text(vector.context, 'payloadWithoutMIC');
    const up = dataFrame(bytes(`${unsigned}00000000`));
    // The source computes a downlink's MIC over the bytes of an uplink.
    const down = { ...up, direction: 'down' } as const;
    const key = cmacKey(vector, 'all');
    const keys = { fNwkSIntKey: key, sNwkSIntKey: key };
    const context = { confFCnt: 0, txDr: 0, txCh: 0 };
    const mics = [
      dataMic(key, up, 1),
      uplinkMic11(keys, up, 1, context),
      dataMic(key, down, 1),
      downlinkMic11(key, down, 1, 0),
    ];
    expect(mics.map((mic) => mic.toString('hex'))).toEqual(vector.cases.map(({ mic }) => mic));
  });

  it('cover the acknowledged counter of a 1.1 downlink only when ACK is set', () => {
    const key = createCmacKey(Buffer.alloc(16, 7));
    const plain = dataFrame(bytes('60f17dbe4900020001f9d65d27'));
    const ack = dataFrame(bytes('60f17dbe4920020001f9d65d27'));
    expect(downlinkMic11(key, plain, 2, 9)).toEqual(downlinkMic11(key, plain, 2, 0));
    expect(downlinkMic11(key, ack, 2, 9)).not.toEqual(downlinkMic11(key, ack, 2, 0));
  });

  it.each(ofKind('join').filter((vector) => text(vector.expect, 'mtype') === 'JoinRequest'))(
    'are those of the join-request $id',
    (vector) => {
      const key = cmacKey(vector, vector.lorawan === '1.1' ? 'NwkKey' : 'AppKey');
      const frame = parseFrame(bytes(vector.phyPayload));
      if (frame.kind !== 'join-request') throw new Error('not a join-request');
      expect(bareMic(key, frame).toString('hex')).toBe(vector.expect['mic']);
      expect(isSameMic(bareMic(key, frame), frame.mic)).toBe(true);
    },
  );

  it.each(ofKind('rejoin'))('are those of the rejoin-request $id', (vector) => {
    const frame = parseFrame(bytes(vector.phyPayload));
    if (frame.kind !== 'rejoin-request') throw new Error('not a rejoin-request');
    expect(bareMic(cmacKey(vector, 'key'), frame).toString('hex')).toBe(vector.expect['mic']);
  });

  it('equal those of lora-packet on random 1.0 frames and counters', () => {
    const body = fc.uint8Array({ minLength: 0, maxLength: 222 });
    const mhdr = fc.constantFrom(0x40, 0x60, 0x80, 0xa0);
    const fCnt = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(key16, mhdr, body, fCnt, (key, first, random, counter) => {
        const header = Buffer.from([first, 4, 3, 2, 1, 0, 0, 0, 1]);
        header.writeUInt16LE(counter % 0x1_0000, 6);
        const phyPayload = Buffer.concat([header, random, Buffer.alloc(4)]);
        const theirs = loraPacket.calculateMIC(
          loraPacket.fromWire(phyPayload),
          key,
          undefined,
          fCntMsb(counter),
        );
        expect(dataMic(createCmacKey(key), dataFrame(phyPayload), counter)).toEqual(theirs);
      }),
    );
  });

  it('are compared by length and content', () => {
    expect(isSameMic(bytes('01020304'), bytes('01020304'))).toBe(true);
    expect(isSameMic(bytes('01020304'), bytes('01020305'))).toBe(false);
    expect(isSameMic(bytes('0102'), bytes('01020304'))).toBe(false);
  });
});
