import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { adapters, findAdapter } from '../../gateway/adapters/registry.ts';
import { fault } from '../../gateway/model/fault.ts';
import { hintOf, unreadable } from '../../gateway/pipeline/format-hint.ts';

const fixtures = [
  ['tts-v3-uplink.json', 'the-things-stack-v3-json'],
  ['chirpstack-v4-up.json', 'chirpstack-v4-json'],
  ['chirpstack-v3-up.json', 'chirpstack-v3-json'],
  ['thingpark-uplink.json', 'thingpark'],
  ['thingpark-uplink.xml', 'thingpark'],
  ['kerlink-wmc-dataup.json', 'kerlink-wanesy'],
  ['helium-console-uplink.json', 'helium-console'],
  ['loriot-gw.json', 'loriot'],
  ['loriot-rx.json', 'loriot'],
  ['gatewaybridge-v4-up.json', 'chirpstack-gateway-bridge-json'],
  ['multitech-app-up.json', 'multitech'],
  ['senet-uplink.json', 'senet'],
  ['milesight-gateway-uplink.json', 'milesight-gateway'],
] as const;

function fixture(name: string): Buffer {
  return readFileSync(new URL(`../fixtures/lns/${name}`, import.meta.url));
}

describe('A hint at the form of a message', () => {
  it.each(fixtures)('takes %s for what %s reads', (name, adapter) => {
    expect(hintOf(fixture(name))).toContain(`route it to ${adapter} with ingest.routes`);
    expect(findAdapter(adapter)?.name).toBe(adapter);
  });

  it.each([
    ['{"rxpk":[]}', 'semtech-udp'],
    ['{"msgtype":"updf"}', 'basic-station'],
  ])('takes %s for what %s reads', (text, adapter) => {
    expect(hintOf(Buffer.from(text))).toContain(`route it to ${adapter} `);
    expect(findAdapter(adapter)?.name).toBe(adapter);
  });

  it('names the mappings for JSON of somebody else', () => {
    expect(hintOf(Buffer.from(' [{"secret":1}]'))).toContain('ingest.mappings');
    expect(hintOf(Buffer.from(' [{"secret":1}]'))).not.toContain('secret');
  });

  it('says nothing of what it has never seen, and does not look far', () => {
    expect(hintOf(Buffer.alloc(0))).toBeUndefined();
    expect(hintOf(Buffer.from('temperature=21'))).toBeUndefined();
    expect(hintOf(Buffer.from(`${' '.repeat(5_000)}{"rxpk":[]}`))).toBeUndefined();
  });

  it('takes any bytes', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => hintOf(Buffer.from(bytes)) !== ''));
  });
});

describe('A message that its adapter could not read', () => {
  const broken = fault('INBOUND_MALFORMED', 'x is missing');
  const codeOf = (adapter: string, body: string | Buffer) =>
    unreadable(broken, adapter, Buffer.from(body)).code;

  it.each(fixtures)('is broken when it is %s for %s', (name, adapter) => {
    const body = fixture(name);
    expect(unreadable(broken, adapter, body)).toBe(broken);
    const late = Buffer.concat([Buffer.from(`{"x":"${' '.repeat(9_000)}",`), body.subarray(1)]);
    if (name.endsWith('.json')) expect(unreadable(broken, adapter, late)).toBe(broken);
  });

  it.each(fixtures)('is unrecognised when it is %s for anybody but %s', (name, adapter) => {
    const others = adapters.filter((each) => each.name !== adapter);
    for (const other of others.filter((each) => each.name !== 'chirpstack-json')) {
      const found = unreadable(broken, other.name, fixture(name));
      expect(found.code).toBe('INBOUND_UNRECOGNISED');
      expect(found.detail).toMatch(/^x is missing; looks like /);
      expect(found.detail).toContain(`which the adapter ${adapter} reads`);
    }
  });

  it('is unrecognised when it is a whole document without one word of the form', () => {
    expect(codeOf('thingpark', '{"a":1}\n')).toBe('INBOUND_UNRECOGNISED');
    expect(codeOf('thingpark', '<?xml version="1.0"?><a/>')).toBe('INBOUND_UNRECOGNISED');
    expect(codeOf('chirpstack-json', '[1]')).toBe('INBOUND_UNRECOGNISED');
    expect(codeOf('chirpstack-json', '{"deviceInfo":1}')).toBe('INBOUND_MALFORMED');
    expect(codeOf('chirpstack-json', '{"applicationID":1}')).toBe('INBOUND_MALFORMED');
  });

  it('is unrecognised when it is text or bytes where only documents are read', () => {
    for (const adapter of ['thingpark', 'modem-json', 'chirpstack-json']) {
      expect(codeOf(adapter, 'temperature=21')).toBe('INBOUND_UNRECOGNISED');
    }
    expect(codeOf('thingpark', Buffer.from([8, 1, 255]))).toBe('INBOUND_UNRECOGNISED');
    expect(codeOf('modem-json', Buffer.from([0x9f, 1]))).toBe('INBOUND_MALFORMED');
    expect(codeOf('chirpstack-json', Buffer.from([8, 1, 255]))).toBe('INBOUND_MALFORMED');
  });

  it('is broken when it was cut off, and when nobody can tell what it should have been', () => {
    for (const body of ['', ' ', '{', '{"a":', '[[', '<a']) {
      expect(codeOf('thingpark', body)).toBe('INBOUND_MALFORMED');
    }
    for (const body of ['{}', 'x', Buffer.from([255])]) {
      expect(codeOf('a-mapping', body)).toBe('INBOUND_MALFORMED');
    }
    expect(codeOf('modem-json', '{}')).toBe('INBOUND_MALFORMED');
  });

  it('keeps every other fault as it is', () => {
    const large = fault('INBOUND_TOO_LARGE', 'x');
    expect(unreadable(large, 'thingpark', Buffer.from('x'))).toBe(large);
  });
});
