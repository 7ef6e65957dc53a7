/** Frames of the simulated devices, held against published vectors and against lora-packet. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type AbpSession,
  createFrameSigner,
  createLorawanDevice,
} from '../../simulators/lorawan/abp-device.ts';
import { createCmac } from '../../simulators/lorawan/aes-cmac.ts';
import { frmPayloadBytesMax } from '../../simulators/lorawan/data-frame.ts';

interface Packet {
  FRMPayload: Buffer | undefined;
}
interface LoraPacket {
  fromWire(bytes: Buffer): Packet;
  verifyMIC(packet: Packet, nwkSKey: Buffer, appKey?: Buffer, fCntMsb?: Buffer): boolean;
  decrypt(packet: Packet, appSKey: Buffer, nwkSKey: Buffer, fCntMsb?: Buffer): Buffer;
}
const loraPacket: LoraPacket = createRequire(import.meta.url)('lora-packet');

interface Vector {
  id: string;
  kind: string;
  lorawan?: string;
  phyPayload: string;
  keys: { NwkSKey?: string; AppSKey?: string };
  context: { fCnt32: number };
  expect: {
    mtype: string;
    devAddr: string;
    fPort?: number;
    frmPayload?: string;
    fOpts?: string;
    adr?: boolean;
    micValid?: boolean;
  };
}

const file = new URL('../fixtures/lorawan/vectors.json', import.meta.url);
const { vectors }: { vectors: Vector[] } = JSON.parse(readFileSync(file, 'utf8'));
const uplinks = vectors.filter(
  ({ kind, lorawan, expect: wanted }) =>
    kind === 'data' &&
    lorawan === '1.0' &&
    wanted.mtype.endsWith('Up') &&
    wanted.micValid !== false &&
    wanted.frmPayload !== undefined,
);

const key = (text: string | undefined): Buffer => Buffer.from(text ?? '00'.repeat(16), 'hex');

describe('AES-CMAC', () => {
  // The examples of RFC 4493, section 4.
  const cmac = createCmac(key('2b7e151628aed2a6abf7158809cf4f3c'));
  const message = Buffer.from(
    '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51' +
      '30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710',
    'hex',
  );

  it.each([
    [0, 'bb1d6929e95937287fa37d129b756746'],
    [16, '070a16b46b4d4144f79bdd9dd04a287c'],
    [40, 'dfa66747de9ae63030ca32611497c827'],
    [64, '51f0bebf7e3b9d92fc49741779363cfe'],
  ])('agrees with the specification on %i bytes', (length, expected) => {
    expect(cmac(message.subarray(0, length)).toString('hex')).toBe(expected);
  });
});

describe('Simulated LoRaWAN frames', () => {
  it('has vectors to agree with', () => {
    expect(uplinks.length).toBeGreaterThanOrEqual(10);
  });

  it.each(uplinks.map((vector) => [vector.id, vector] as const))(
    'makes the published frame %s byte for byte',
    (_, vector) => {
      const published = Buffer.from(vector.phyPayload, 'hex');
      const sign = createFrameSigner({
        devAddr: vector.expect.devAddr,
        nwkSKey: key(vector.keys.NwkSKey),
        appSKey: key(vector.keys.AppSKey),
      });
      const frame = sign({
        fPort: vector.expect.fPort ?? 0,
        frmPayload: Buffer.from(vector.expect.frmPayload ?? '', 'hex'),
        fCnt: vector.context.fCnt32,
        confirmed: vector.expect.mtype === 'ConfirmedDataUp',
        adr: (published.readUInt8(5) & 0x80) !== 0,
        adrAckReq: (published.readUInt8(5) & 0x40) !== 0,
        fOpts: Buffer.from(vector.expect.fOpts ?? '', 'hex'),
      });
      expect(frame.toString('hex')).toBe(vector.phyPayload);
    },
  );

  const session: AbpSession = {
    devAddr: '01a2b3c4',
    nwkSKey: key('000102030405060708090a0b0c0d0e0f'),
    appSKey: key('f0e0d0c0b0a090807060504030201000'),
  };

  it('makes frames that lora-packet verifies and decrypts, for any payload and counter', () => {
    const sign = createFrameSigner(session);
    const anyFrame = fc.record({
      frmPayload: fc.uint8Array({ minLength: 1, maxLength: frmPayloadBytesMax }),
      fPort: fc.integer({ min: 1, max: 223 }),
      fCnt: fc.integer({ min: 0, max: 0xffffffff }),
    });
    fc.assert(
      fc.property(anyFrame, (content) => {
        const packet = loraPacket.fromWire(sign(content));
        // lora-packet takes the upper half of the counter in little-endian order.
        const msb = Buffer.alloc(2);
        msb.writeUInt16LE(content.fCnt >>> 16);
        expect(loraPacket.verifyMIC(packet, session.nwkSKey, undefined, msb)).toBe(true);
        const clear = loraPacket.decrypt(packet, session.appSKey, session.nwkSKey, msb);
        expect(Buffer.from(clear)).toEqual(Buffer.from(content.frmPayload));
      }),
      { numRuns: 40 },
    );
  });

  it('counts past 65535 without repeating a frame', () => {
    const device = createLorawanDevice(session, 65_535);
    const first = device.uplink(2, Buffer.of(1));
    const second = device.uplink(2, Buffer.of(1));
    expect([first.fCnt, second.fCnt, device.nextFCnt()]).toEqual([65_535, 65_536, 65_537]);
    expect(second.phyPayload.readUInt16LE(6)).toBe(0);
    expect(second.phyPayload.subarray(9, 10)).not.toEqual(first.phyPayload.subarray(9, 10));
  });

  it('refuses a payload that no frame can carry', () => {
    const sign = createFrameSigner(session);
    const frmPayload = Buffer.alloc(frmPayloadBytesMax + 1);
    expect(() => sign({ fPort: 1, frmPayload, fCnt: 0 })).toThrow('fits one frame');
  });
});
