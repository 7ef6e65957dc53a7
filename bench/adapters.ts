/**
 * How fast the adapters read: one core, published messages, JSON parsing included. JSON, protobuf
 * of the same uplink, and a mapping profile.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Adapter } from '../gateway/adapters/adapter.ts';
import { chirpstack } from '../gateway/adapters/chirpstack.ts';
import { createMappingAdapters } from '../gateway/adapters/mapping/mappings.ts';
import { modem } from '../gateway/adapters/modem.ts';
import { chirpstackProtobuf } from '../gateway/adapters/protobuf/chirpstack-v4.ts';
import { theThingsStack } from '../gateway/adapters/the-things-stack.ts';
import { thingPark } from '../gateway/adapters/thingpark.ts';
import type { Inbound } from '../gateway/model/inbound.ts';
import { version4 } from '../test/adapters/protobuf/chirpstack-schemas.ts';
import { encode } from '../test/adapters/protobuf/encoder.ts';

export interface AdapterFigures {
  readonly name: string;
  readonly perSecond: number;
  readonly atLeast: number;
}

const rounds = 60_000;

export function adapterRates(): AdapterFigures[] {
  const uplink = fixture('lns/chirpstack-v4-up.json');
  const up = 'application/17c82e96-be03-4f38-aef3-f83d48582d97/device/0101010101010101/event/up';
  const protobuf = encode(JSON.parse(uplink.toString()), version4.up);
  return [
    rateOf('chirpstack-v4-json', chirpstack, up, uplink, 60_000),
    rateOf(
      'the-things-stack-v3-json',
      theThingsStack,
      'v3/app1@tenant1/devices/dev1/up',
      fixture('lns/tts-v3-uplink.json'),
      60_000,
    ),
    rateOf(
      'modem-json',
      modem,
      'up/meter-1',
      Buffer.from('{"temperature":22.5,"humidity":61,"rsrp":-101,"rsrq":-11}'),
      60_000,
    ),
    rateOf('modem-json: SenML', modem, 'up/meter-1', fixture('cellular/senml/ex3.json'), 60_000),
    rateOf('thingpark', thingPark, '/ingest/a', fixture('lns/thingpark-uplink.json'), 60_000),
    rateOf('chirpstack-v4-protobuf', chirpstackProtobuf, up, protobuf, 100_000),
    rateOf(
      'mapping: vega',
      vega(),
      'vega/867723030711633/data',
      fixture('cellular/vega/nb-11.json'),
      40_000,
    ),
  ];
}

function fixture(name: string): Buffer {
  return readFileSync(resolve('test/fixtures', name));
}

function vega(): Adapter {
  const mapping = { name: 'vega', profile: 'vega', topic: 'vega/{imei}/data' } as const;
  const [adapter] = createMappingAdapters([mapping], { identityKey: Buffer.alloc(32) }).adapters;
  if (adapter === undefined) throw new Error('the profile is not there');
  return adapter;
}

function rateOf(
  name: string,
  adapter: Adapter,
  route: string,
  body: Buffer,
  atLeast: number,
): AdapterFigures {
  const inbound: Inbound = {
    transport: 'mqtt',
    route,
    body,
    receivedAt: Date.UTC(2026, 0, 1),
    sender: { credential: 'bench', connection: 'bench', vouches: 'network-server' },
    dup: false,
  };
  const first = adapter.parse(inbound);
  if ('code' in first) throw new Error(`${name}: ${first.detail}`);
  for (let round = 0; round < rounds / 4; round += 1) adapter.parse(inbound);
  const before = process.cpuUsage();
  for (let round = 0; round < rounds; round += 1) adapter.parse(inbound);
  const { user, system } = process.cpuUsage(before);
  return { name, perSecond: (rounds * 1e6) / (user + system), atLeast };
}
