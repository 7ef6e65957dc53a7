import { createDecipheriv } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  counterOf,
  createKeystreamKey,
  cryptFOpts,
  cryptFrmPayload,
} from '../../gateway/lorawan/keystream.ts';
import {
  bytes,
  dataFrame,
  dataVectors,
  fCntMsb,
  frameOf,
  keyOf,
  loraPacket,
  number,
  text,
  vectorOf,
} from './vectors.ts';

const key16 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((key) => Buffer.from(key));
const directions = ['up', 'down'] as const;
const position = (direction: 'up' | 'down') => ({ direction, devAddr: '01020304', fCnt: 1 });

describe('Payload encryption', () => {
  it.each(dataVectors.filter(({ expect: expected }) => expected['frmPayload'] !== undefined))(
    'opens the FRMPayload of $id',
    (vector) => {
      const frame = frameOf(vector);
      const network = vector.lorawan === '1.0' ? 'NwkSKey' : 'portZeroKey';
      const key = createKeystreamKey(keyOf(vector, frame.fPort === 0 ? network : 'AppSKey'));
      const at = { ...frame, fCnt: number(vector.context, 'fCnt32') };
      const clear = cryptFrmPayload(key, at, frame.frmPayload);
      expect(clear.toString('hex')).toBe(vector.expect['frmPayload']);
    },
  );

  it.each(directions)('gives the keystream of The Things Stack, %s', (direction) => {
    const vector = vectorOf('tts-frm-crypt');
    const key = createKeystreamKey(keyOf(vector, 'AppSKey'));
    const example = vector.cases.find(({ dir }) => dir === direction);
    const crypted = cryptFrmPayload(key, position(direction), bytes(example?.['plain']));
    expect(crypted.toString('hex')).toBe(example?.['cipher']);
  });

  it.each(directions)('gives the FOpts keystream of The Things Stack, %s', (direction) => {
    const vector = vectorOf('tts-fopts-crypt');
    const key = createKeystreamKey(keyOf(vector, 'NwkSEncKey'));
    const example = vector.cases.find(({ dir }) => dir === direction);
    const counter = direction === 'up' ? 'FCntUp' : 'NFCntDown';
    const at = { ...position(direction), counter } as const;
    expect(cryptFOpts(key, at, bytes(example?.['plain'])).toString('hex')).toBe(
      example?.['cipher'],
    );
  });

  it.each(dataVectors.filter(({ context }) => context['fOptsEncrypted'] === true))(
    'opens the FOpts of $id',
    (vector) => {
      const frame = frameOf(vector);
      const key = createKeystreamKey(keyOf(vector, 'NwkSEncKey'));
      const fCnt = number(vector.context, 'fCnt32');
      const clear = cryptFOpts(key, { ...frame, fCnt, counter: counterOf(frame) }, frame.fOpts);
      expect(clear.toString('hex')).toBe(vector.expect['fOptsPlain']);
    },
  );

  it('takes the counter of the application only for downlinks on an application port', () => {
    expect(counterOf(dataFrame(bytes('40f17dbe4900020001954378')))).toBe('FCntUp');
    expect(counterOf(dataFrame(bytes('60f17dbe49000200954378ff')))).toBe('NFCntDown');
    expect(counterOf(dataFrame(bytes('60f17dbe4900020000954378ff')))).toBe('NFCntDown');
    expect(counterOf(dataFrame(bytes('60f17dbe4900020001954378ff')))).toBe('AFCntDown');
  });

  it('opens a ThingPark payload with the AppSKey that its transport key unwraps', () => {
    const vector = vectorOf('thingpark-encrypted-appskey');
    const unwrap = createDecipheriv('aes-128-cbc', keyOf(vector, 'ASTK'), Buffer.alloc(16));
    const appSKey = unwrap.setAutoPadding(false).update(keyOf(vector, 'AppSKeyEncrypted'));
    expect(appSKey).toEqual(keyOf(vector, 'AppSKey'));
    const at = { direction: 'up', devAddr: text(vector.context, 'devAddr'), fCnt: 1 } as const;
    const clear = cryptFrmPayload(createKeystreamKey(appSKey), at, bytes(vector.payloadHex));
    expect(clear.toString('ascii')).toBe(vector.expect['ascii']);
  });

  it('equals that of lora-packet on random frames and counters', () => {
    const payload = fc.uint8Array({ minLength: 0, maxLength: 242 });
    const fCnt = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(key16, fc.constantFrom(0x40, 0x60), payload, fCnt, (key, mhdr, random, count) => {
        const header = Buffer.from([mhdr, 0xf4, 3, 2, 0xf1, 0, 0, 0, 1]);
        header.writeUInt16LE(count % 0x1_0000, 6);
        const frame = dataFrame(Buffer.concat([header, random, Buffer.alloc(4)]));
        const theirs = loraPacket.decrypt(
          loraPacket.fromWire(frame.phyPayload),
          key,
          key,
          fCntMsb(count),
        );
        const at = { ...frame, fCnt: count };
        expect(cryptFrmPayload(createKeystreamKey(key), at, frame.frmPayload)).toEqual(theirs);
      }),
    );
  });

  it('returns to the plain bytes when done twice', () => {
    fc.assert(
      fc.property(key16, fc.uint8Array({ maxLength: 242 }), (key, random) => {
        const kept = createKeystreamKey(key);
        const once = cryptFrmPayload(kept, position('up'), Buffer.from(random));
        expect(cryptFrmPayload(kept, position('up'), once)).toEqual(Buffer.from(random));
      }),
    );
  });
});
