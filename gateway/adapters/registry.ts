/** Every format that can be read. To add one: write its file and add one line here. */
import type { Adapter } from './adapter.ts';
import { basicStation } from './basic-station.ts';
import { chirpstack } from './chirpstack.ts';
import { chirpstackJson } from './chirpstack-json.ts';
import { chirpstackV3 } from './chirpstack-v3.ts';
import { gatewayBridge } from './gateway-bridge.ts';
import { heliumConsole } from './helium.ts';
import { kerlink } from './kerlink.ts';
import { loriot } from './loriot.ts';
import { milesightGateway } from './milesight.ts';
import { modem } from './modem.ts';
import { multitech } from './multitech.ts';
import { chirpstackV3Protobuf } from './protobuf/chirpstack-v3.ts';
import { chirpstackProtobuf } from './protobuf/chirpstack-v4.ts';
import { eitherForm } from './protobuf/either-form.ts';
import { gatewayBridgeProtobuf } from './protobuf/gateway-bridge.ts';
import { semtechUdp } from './semtech-udp.ts';
import { senet } from './senet.ts';
import { theThingsStack } from './the-things-stack.ts';
import { thingPark } from './thingpark.ts';
import type { Route } from './topic-filter.ts';

export const adapters: readonly Adapter[] = [
  eitherForm(chirpstackJson, chirpstackProtobuf),
  chirpstack,
  chirpstackV3,
  chirpstackProtobuf,
  chirpstackV3Protobuf,
  theThingsStack,
  thingPark,
  loriot,
  kerlink,
  heliumConsole,
  milesightGateway,
  multitech,
  senet,
  eitherForm(gatewayBridge, gatewayBridgeProtobuf),
  gatewayBridgeProtobuf,
  semtechUdp,
  basicStation,
  modem,
];

export function findAdapter(name: string): Adapter | undefined {
  return adapters.find((adapter) => adapter.name === name);
}

/** The routes that hold unless the config says otherwise. */
export const defaultRoutes: readonly Route[] = routesOf(adapters);

export function routesOf(readers: readonly Adapter[]): Route[] {
  return readers.flatMap((adapter) => adapter.topicFilters.map((filter) => ({ filter, adapter })));
}
