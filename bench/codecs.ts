/**
 * How fast codecs decode on one core: built-in ones, and a script in its sandbox, from the bytes of
 * a batch to values of the vocabulary, with what the sandbox's thread costs.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { findCodec } from '../decoders/registry.ts';
import { codecLimits } from '../gateway/codecs/limits.ts';
import { type Script, versionOf } from '../gateway/codecs/script.ts';
import { openScriptCodecs } from '../gateway/codecs/script-codecs.ts';

export interface CodecFigures {
  readonly what: string;
  readonly perSecond: number;
  readonly atLeast: number;
  readonly aim: number | undefined;
}

/** What a pass of the derive worker decodes at once. */
const batchSize = 2_000;
const builtInRounds = 400_000;

/** As vendors write them: a walk over channels and types, with helpers. */
const source = `
var types = { 1: 'battery', 103: 'temperature', 104: 'humidity', 125: 'co2' };
function decodeUplink(input) { return { data: decode(input.bytes, input.fPort) }; }
function decode(bytes, port) {
  var decoded = {};
  for (var i = 0; i < bytes.length; ) {
    var channel = bytes[i++];
    var type = bytes[i++];
    if (channel === 0x01 && type === 0x75) { decoded.battery = bytes[i]; i += 1; }
    else if (type === 0x67) {
      decoded.temperature = readInt16LE(bytes.slice(i, i + 2)) / 10; i += 2;
    }
    else if (type === 0x68) { decoded.humidity = bytes[i] / 2; i += 1; }
    else if (type === 0x7d) { decoded.co2 = readUInt16LE(bytes.slice(i, i + 2)); i += 2; }
    else { break; }
  }
  return decoded;
}
function readUInt16LE(bytes) { return ((bytes[1] << 8) + bytes[0]) & 0xffff; }
function readInt16LE(bytes) { var v = readUInt16LE(bytes); return v > 0x7fff ? v - 0x10000 : v; }
`;

export async function codecRates({
  uplinks,
}: {
  readonly uplinks: number;
}): Promise<CodecFigures[]> {
  const scripted = await scriptRate(uplinks);
  const builtIn = ['milesight-em300', 'elsys-generic', 'cayenne-lpp'].map(builtInRate);
  return [
    { what: 'script in its sandbox', perSecond: scripted, atLeast: 10_000, aim: 40_000 },
    ...builtIn,
  ];
}

async function scriptRate(uplinks: number): Promise<number> {
  const key = versionOf(source);
  const script: Script = { id: 'bench', title: 'bench', variables: {}, source, key, version: key };
  const scripts = openScriptCodecs({ limits: codecLimits, script: () => script });
  const inputs = Array.from({ length: batchSize }, (_, at) => ({
    ...{ codec: 'bench', fPort: 85, time: Date.UTC(2026, 0, 1) + at },
    bytes: Uint8Array.of(1, 0x75, 90, 3, 0x67, at & 255, 0, 4, 0x68, at % 200, 7, 0x7d, 200, 2),
  }));
  const decodeAll = async (count: number) => {
    for (let done = 0; done < count; done += batchSize) {
      const decoded = await scripts.decode(inputs);
      if (decoded.some(({ ok }) => !ok)) throw new Error('the script has failed');
    }
  };
  await decodeAll(uplinks / 4);
  const before = process.cpuUsage();
  await decodeAll(uplinks);
  const { user, system } = process.cpuUsage(before);
  await scripts.close();
  return (uplinks * 1e6) / (user + system);
}

interface Example {
  readonly fPort: number;
  readonly bytes: string;
  readonly values?: readonly unknown[];
}

/** Over the examples of the codec that give values. */
function builtInRate(name: string): CodecFigures {
  const codec = findCodec(name);
  const path = resolve('decoders', name, 'examples.json');
  const examples: readonly Example[] = JSON.parse(readFileSync(path, 'utf8'));
  const payloads = examples
    .filter(({ values }) => values !== undefined)
    .map(({ fPort, bytes }) => ({ fPort, bytes: Buffer.from(bytes, 'hex') }));
  const decode = (rounds: number) => {
    for (let round = 0; round < rounds; round += 1) {
      const payload = payloads[round % payloads.length];
      if (payload !== undefined) codec?.decode(payload);
    }
  };
  if (codec === undefined || payloads.length === 0) throw new Error(`there is no codec ${name}`);
  decode(builtInRounds / 4);
  const before = process.cpuUsage();
  decode(builtInRounds);
  const { user, system } = process.cpuUsage(before);
  const perSecond = (builtInRounds * 1e6) / (user + system);
  return { what: `built-in ${name}`, perSecond, atLeast: 500_000, aim: undefined };
}
