/** Frames signed anew, proven by the tests' own AES; and captures without anybody's names. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createAnonymise } from '../../simulators/capture/anonymise.ts';
import { createFrameSigning } from '../../simulators/capture/frame-signing.ts';
import type { CapturedMessage } from '../../simulators/capture/message.ts';
import { createFrameSigner, type FrameContent } from '../../simulators/lorawan/abp-device.ts';
import { proveFrame } from './frame-proof.ts';

const field = { devAddr: '01a2b3c4', nwkSKey: Buffer.alloc(16, 1), appSKey: Buffer.alloc(16, 2) };
const bench = { devAddr: '01ffee00', nwkSKey: Buffer.alloc(16, 3), appSKey: Buffer.alloc(16, 4) };
const sign = createFrameSigner(field);

function bridged(frame: Buffer): CapturedMessage {
  const body = Buffer.from(`{"phyPayload": "${frame.toString('base64')}","rxInfo":{"rssi":-5}}`);
  return { at: 1, via: 'mqtt', route: 'eu868/gateway/02f1e1d000000001/event/up', body };
}

function forwarded(frame: Buffer): CapturedMessage {
  const header = Buffer.from('0201020002f1e1d000000001', 'hex');
  const data = frame.toString('base64').replace(/=+$/, '');
  const json = Buffer.from(`{"rxpk":[{"data":"${data}","size":${frame.length}}]}`);
  const route = 'semtech-udp/02f1e1d000000001';
  return { at: 1, via: 'udp', route, body: Buffer.concat([header, json]) };
}

function frameIn({ via, body }: CapturedMessage): Buffer {
  const json = JSON.parse(body.toString('utf8', via === 'udp' ? 12 : 0));
  return Buffer.from(via === 'udp' ? json.rxpk[0].data : json.phyPayload, 'base64');
}

describe('Frames signed anew', () => {
  const anyContent: fc.Arbitrary<FrameContent> = fc.record({
    frmPayload: fc.uint8Array({ minLength: 1, maxLength: 60 }),
    fPort: fc.integer({ min: 0, max: 223 }),
    fCnt: fc.integer({ min: 0, max: 0x3fffff }),
    confirmed: fc.boolean(),
    adr: fc.boolean(),
    fOpts: fc.uint8Array({ maxLength: 15 }),
  });

  it('say the same under other keys, whatever they say', () => {
    fc.assert(
      fc.property(anyContent, fc.constantFrom(bridged, forwarded), (content, wrap) => {
        const frame = sign(content);
        const signing = createFrameSigning([{ ...field, as: bench }]);
        const signed = frameIn(signing.sign(wrap(frame)));
        expect(proveFrame(signed, bench, content.fCnt >>> 16)).toEqual({
          ...{ devAddr: bench.devAddr, fCnt: content.fCnt, fPort: content.fPort },
          clear: Buffer.from(content.frmPayload),
        });
        // Type, flags and commands are the device's own.
        expect([signed[0], signed[5]]).toEqual([frame[0], frame[5]]);
        expect(proveFrame(signed, field, content.fCnt >>> 16)).toBeUndefined();
        expect(signing.counts).toEqual({ signed: 1, unknown: 0 });
      }),
      { numRuns: 60 },
    );
  });

  it('start at another counter and keep the gaps between them, past 65535', () => {
    const signing = createFrameSigning([{ ...field, as: { ...bench, fCnt: 65_530 } }]);
    const counters = [131_070, 131_071, 131_075, 131_080].map((fCnt) => {
      const signed = frameIn(
        signing.sign(bridged(sign({ fPort: 1, frmPayload: Buffer.of(1), fCnt }))),
      );
      return [0, 1].map((high) => proveFrame(signed, bench, high)?.fCnt).find(Number.isInteger);
    });
    expect(counters).toEqual([65_530, 65_531, 65_535, 65_540]);
  });

  it('are left as they are when no session of the capture fits', () => {
    const signing = createFrameSigning([{ ...field, as: bench }]);
    const stranger = createFrameSigner({ ...field, nwkSKey: Buffer.alloc(16, 9) });
    const message = bridged(stranger({ fPort: 1, frmPayload: Buffer.of(1), fCnt: 3 }));
    expect(signing.sign(message)).toEqual(message);
    const joining = bridged(Buffer.concat([Buffer.of(0), Buffer.alloc(22)]));
    expect(signing.sign(joining)).toEqual(joining);
    expect(signing.counts).toEqual({ signed: 0, unknown: 1 });
  });
});

const fixtures = new URL('../fixtures/lns/', import.meta.url);
const realMessages = readdirSync(fixtures)
  .filter((name) => name.endsWith('.json') && name !== 'vectors.json')
  .map((name) => [name, readFileSync(new URL(name, fixtures), 'utf8')] as const);

/** Whatever has the form of an identifier: EUIs, UUIDs and coordinates with more than 3 digits. */
function identifiersIn(text: string): string[] {
  const forms = [
    /"([0-9a-fA-F]{16})"/g,
    /"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"/g,
    /"(?:latitude|longitude|lati|long)": ?(-?\d+\.\d{4,})/g,
    /"dev_?[aA]ddr": ?"([^"]+)"/g,
  ];
  return forms.flatMap((form) => [...text.matchAll(form)].map(([, found = '']) => found));
}

describe('An anonymised message', () => {
  const anonymise = createAnonymise('a secret that nobody knows');
  const route = 'application/17c82e96-be03-4f38-aef3-f83d48582d97/device/24e124136b502217/event/up';

  it.each(realMessages)('names none of the identifiers of %s', (_, text) => {
    const message = { at: 1, via: 'mqtt', route, body: Buffer.from(text) } as const;
    const told = anonymise(message);
    const body = told?.body.toString() ?? '';
    const left = identifiersIn(text).filter(
      (name) => !/^0+$/.test(name) && body.toLowerCase().includes(`"${name.toLowerCase()}"`),
    );
    expect(left).toEqual([]);
    expect(told?.route).not.toContain('24e124136b502217');
    expect(() => JSON.parse(body === '' ? '{}' : body)).not.toThrow();
  });

  it('calls the same thing by the same name everywhere, and otherwise under another secret', () => {
    const body =
      '{"deviceInfo":{"devEui":"24E124136B502217","deviceName":"Pump"},"rssi":-50,"data":"AXVc"}';
    const message: CapturedMessage = { at: 1, via: 'mqtt', route, body: Buffer.from(body) };
    const told = anonymise({ ...message, device: '24e124136b502217' });
    const { deviceInfo, rssi, data } = JSON.parse(told?.body.toString() ?? '');
    expect(told?.route).toContain(`/device/${told?.device}/event/up`);
    expect(deviceInfo.devEui).toBe(told?.device?.toUpperCase());
    expect(deviceInfo.deviceName).toMatch(/^x-[0-9a-f]{10}$/);
    expect([rssi, data]).toEqual([-50, 'AXVc']);
    const other = createAnonymise('another secret than that')(message);
    expect(other?.route).not.toBe(told?.route);
  });

  it('changes addresses within frames and the gateway of a datagram', () => {
    const frame = sign({ fPort: 1, frmPayload: Buffer.of(1), fCnt: 1 });
    const message = forwarded(frame);
    const told = anonymise(message);
    expect(frameIn(told ?? message).subarray(1, 5)).not.toEqual(frame.subarray(1, 5));
    expect(told?.body.toString('hex', 4, 12)).toBe(told?.route.slice('semtech-udp/'.length));
    expect(told?.body.toString('hex', 4, 12)).not.toBe('02f1e1d000000001');
  });

  it('moves places by one distance and makes them coarse', () => {
    const place = (latitude: number, longitude: number) => {
      const body = Buffer.from(JSON.stringify({ location: { latitude, longitude } }));
      const told = anonymise({ at: 1, via: 'mqtt', route: 'up/a', body });
      return JSON.parse(told?.body.toString() ?? '{}').location;
    };
    const [one, other] = [place(40.4093, 49.8671), place(40.4193, 49.8771)];
    expect(other.latitude - one.latitude).toBeCloseTo(0.01, 3);
    expect(other.longitude - one.longitude).toBeCloseTo(0.01, 3);
    expect(Math.abs(one.latitude - 40.4093)).toBeGreaterThan(1);
    expect(String(one.latitude)).toMatch(/^-?\d+\.?\d{0,3}$/);
  });

  it('is none where the bytes cannot be read', () => {
    const message = { at: 1, via: 'mqtt', route: 'up/a' } as const;
    expect(anonymise({ ...message, body: Buffer.of(0xff, 1) })).toBeUndefined();
    expect(anonymise({ ...message, body: Buffer.from('<xml/>') })).toBeUndefined();
  });
});
