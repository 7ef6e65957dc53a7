import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { findAdapter } from '../../gateway/adapters/registry.ts';
import { hintOf } from '../../gateway/pipeline/format-hint.ts';

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
