/** Each known defect of lora-packet 0.9.3: it is there, and the gateway does not have it. */
import { describe, expect, it } from '@jest/globals';
import { createCmacKey } from '../../gateway/lorawan/cmac.ts';
import { parseFrame } from '../../gateway/lorawan/frame.ts';
import { dataMic, isSameMic, uplinkMic11 } from '../../gateway/lorawan/frame-mic.ts';
import { openJoinAccept } from '../../gateway/lorawan/join.ts';
import { bytes, fCntMsb, frameOf, keyOf, loraPacket, number, text, vectorOf } from './vectors.ts';

const packetOf = (hex: string) => loraPacket.fromWire(bytes(hex));

/** The keys and the context of a 1.1 uplink in the forms of both sides. */
function uplink11(id: string) {
  const vector = vectorOf(id);
  const context = {
    confFCnt: number(vector.context, 'confFCnt'),
    txDr: number(vector.context, 'txDr'),
    txCh: number(vector.context, 'txCh'),
  };
  const fNwkSIntKey = keyOf(vector, 'FNwkSIntKey');
  const sNwkSIntKey = keyOf(vector, 'SNwkSIntKey');
  const fCnt = number(vector.context, 'fCnt32');
  const theirContext = () => Buffer.from([0, context.confFCnt, context.txDr, context.txCh]);
  const theirMic = (given: Buffer) =>
    loraPacket
      .calculateMIC(packetOf(vector.phyPayload), fNwkSIntKey, sNwkSIntKey, fCntMsb(fCnt), given)
      .toString('hex');
  const keys = {
    fNwkSIntKey: createCmacKey(fNwkSIntKey),
    sNwkSIntKey: createCmacKey(sNwkSIntKey),
  };
  const ourMic = () => uplinkMic11(keys, frameOf(vector), fCnt, context).toString('hex');
  return { theirContext, theirMic, ourMic, mic: text(vector.expect, 'mic') };
}

describe('lora-packet defect 1, lengths are not checked', () => {
  it('lets FOpts overlap the MIC in 11 bytes; the gateway refuses them', () => {
    const hex = '400102030405060708090a';
    expect(packetOf(hex).FOpts).toBeDefined();
    expect(parseFrame(bytes(hex))).toMatchObject({ code: 'FRAME_MALFORMED' });
  });

  it('lets FOptsLen exceed the frame; the gateway refuses it', () => {
    const hex = '40f17dbe490f020001954378';
    expect(packetOf(hex).FOpts).toBeDefined();
    expect(parseFrame(bytes(hex))).toMatchObject({ code: 'FRAME_MALFORMED' });
  });

  it('throws below 6 bytes; the gateway gives a fault', () => {
    expect(() => packetOf('4001020304')).toThrow();
    expect(parseFrame(bytes('4001020304'))).toMatchObject({ code: 'FRAME_MALFORMED' });
  });

  it('does not look at the major version; the gateway refuses another one', () => {
    const hex = '41f17dbe4900020001954378762b11ff0d';
    expect(packetOf(hex).isDataMessage()).toBe(true);
    expect(parseFrame(bytes(hex))).toMatchObject({ code: 'FRAME_MALFORMED' });
  });
});

describe('lora-packet defect 2, RJCount1 is read from inside the DevEUI', () => {
  it.each(['br-rejoin1', 'tts-rejoin1'])('the gateway reads the last field of %s', (id) => {
    const vector = vectorOf(id);
    const expected = number(vector.expect, 'rjCount1');
    expect(packetOf(vector.phyPayload).RJCount1?.readUInt16BE(0)).not.toBe(expected);
    expect(parseFrame(bytes(vector.phyPayload))).toMatchObject({ rjCount: expected });
  });
});

describe('lora-packet defect 3, the 1.1 context is rewritten in place', () => {
  it('gives another MIC on the second call; the gateway gives the same one', () => {
    const { theirContext, theirMic, ourMic, mic } = uplink11('br11-ack');
    const given = theirContext();
    expect(theirMic(given)).toBe(mic);
    expect(theirMic(given)).not.toBe(mic);
    expect([ourMic(), ourMic()]).toEqual([mic, mic]);
  });
});

describe('lora-packet defect 4, FPort 0 counts ConfFCnt without ACK', () => {
  it('gives another MIC than the vector; the gateway gives the vector', () => {
    const { theirContext, theirMic, ourMic, mic } = uplink11('br11-port0');
    expect(theirMic(theirContext())).not.toBe(mic);
    expect(ourMic()).toBe(mic);
  });
});

describe('lora-packet defect 5, fields of an encrypted join-accept', () => {
  it('are garbage before decryption; the gateway shows none until its MIC fits', () => {
    const vector = vectorOf('lp-issue10-joinaccept');
    const devAddr = text(vector.expect, 'devAddr');
    expect(packetOf(vector.phyPayload).DevAddr?.toString('hex')).not.toBe(devAddr);
    const frame = parseFrame(bytes(vector.phyPayload));
    expect(frame).not.toHaveProperty('devAddr');
    if (frame.kind !== 'join-accept') throw new Error('not a join-accept');
    expect(openJoinAccept(frame, { rootKey: keyOf(vector, 'AppKey') })).toMatchObject({ devAddr });
    expect(openJoinAccept(frame, { rootKey: Buffer.alloc(16) })).not.toHaveProperty('devAddr');
  });
});

describe('lora-packet defect 6, MIC comparison', () => {
  it('throws when the key is missing; the gateway compares tags in constant time', () => {
    const vector = vectorOf('lp-test');
    expect(() => loraPacket.verifyMIC(packetOf(vector.phyPayload))).toThrow();
    const frame = frameOf(vector);
    const mic = dataMic(createCmacKey(keyOf(vector, 'NwkSKey')), frame, 2);
    expect(isSameMic(mic, frame.mic)).toBe(true);
    expect(isSameMic(mic, frameOf(vectorOf('lp-bad-mic')).mic)).toBe(false);
  });
});

describe('lora-packet defect 7, typings of a default export that is absent', () => {
  it('leaves nothing under `default`; the gateway takes the module itself', () => {
    expect(loraPacket).not.toHaveProperty('default');
    expect(parseFrame(bytes(vectorOf('lp-test').phyPayload)).kind).toBe('data');
  });
});

describe('lora-packet defect 8, the upper half of the counter is the caller\u2019s', () => {
  it('refuses a real frame past 65,535; the gateway passes all 32 bits', () => {
    const vector = vectorOf('lp-issue126-rollover');
    const key = keyOf(vector, 'NwkSKey');
    const packet = packetOf(vector.phyPayload);
    expect(loraPacket.verifyMIC(packet, key)).toBe(false);
    expect(loraPacket.verifyMIC(packet, key, undefined, Buffer.from([1, 0]))).toBe(true);
    const frame = frameOf(vector);
    expect(isSameMic(dataMic(createCmacKey(key), frame, 89_136), frame.mic)).toBe(true);
  });
});
