/** One rule of a mapping: the messages that it fits, and the uplinks or events it makes of them. */
import type { EachSpec, MappingRule } from '../../../config/mapping-schema.ts';
import type { PayloadUplink, SourceEvent } from '../../model/uplink.ts';
import { type Collection, createCollection, radioOf } from '../measurements.ts';
import type { Draft } from '../place.ts';
import { compileAll } from './all-rules.ts';
import { type Condition, compileConditions } from './conditions.ts';
import { type Context, complain, inside, type Read, type Scope } from './context.ts';
import { compileDevEui, compileDeviceId } from './fields.ts';
import { type Collect, compileMeasurement } from './measurement-rules.ts';
import { compileRadio } from './radio-rules.ts';
import { compileOpenSource } from './source.ts';
import { compileTime } from './times.ts';
import { compileUplinkFields, type Fill } from './uplink-fields.ts';

/** A message with more elements is a file transfer. */
export const elementsMax = 1_000;

export interface Rule {
  readonly fits: Condition;
  /** Empty when something was complained about. */
  readonly read: (context: Context) => (PayloadUplink | SourceEvent)[];
}

export function compileRule(spec: MappingRule, scope: Scope, name: string): Rule {
  const fits = compileConditions(spec.when, inside(scope, 'when'));
  const { each } = spec;
  if (each === undefined) {
    const whole = compileParts(spec, { header: scope, values: scope });
    return { fits, read: (context) => [asItem(whole, context, name)].flatMap(itemOf) };
  }
  const inner = { ...scope, hasElement: true };
  const elements = compileEach(each, scope);
  if (each.gives === 'uplinks') {
    const one = compileParts(spec, { header: inner, values: inner });
    return {
      fits,
      read: (context) => elements(context).flatMap((element) => itemOf(asItem(one, element, name))),
    };
  }
  const parts = compileParts(spec, { header: scope, values: inner });
  return {
    fits,
    read: (context) => itemOf(asItem(parts, context, name, elements(context))),
  };
}

function itemOf<T>(item: T | undefined): T[] {
  return item === undefined ? [] : [item];
}

/** The contexts of the elements that are read; one object counts as an array of one. */
function compileEach(spec: EachSpec, scope: Scope): (context: Context) => readonly Context[] {
  const read = compileOpenSource(spec.from, inside(inside(scope, 'each'), 'from'));
  const isRead = compileConditions(spec.when, {
    ...inside(inside(scope, 'each'), 'when'),
    hasElement: true,
  });
  return (context) => {
    const found = read(context);
    const elements: readonly unknown[] = Array.isArray(found) ? found : [found];
    if (found === undefined || found === null) {
      complain(context, spec.from, 'there');
      return [];
    }
    if (elements.length > elementsMax) {
      complain(context, spec.from, `within ${elementsMax} elements`);
      return [];
    }
    context.hasContent = true;
    return elements
      .map((element, index) => ({ ...context, element, index, hasContent: false }))
      .filter((inner) => isRead(inner));
  };
}

interface Parts {
  readonly deviceId: Read<string>;
  readonly time: Read<number>;
  readonly fill: Fill;
  readonly collect: readonly Collect[];
  readonly event: string | undefined;
}

interface Scopes {
  /** Of what an uplink has once. */
  readonly header: Scope;
  /** Of what each element of an array may have. */
  readonly values: Scope;
}

function compileParts(spec: MappingRule, { header, values }: Scopes): Parts {
  const { time, radio } = spec;
  const measurements = (spec.measurements ?? []).map((one, at) =>
    compileMeasurement(one, inside(inside(values, 'measurements'), at)),
  );
  const all = (spec.all ?? []).map((one, at) => compileAll(one, inside(inside(values, 'all'), at)));
  const readRadio = radio === undefined ? [] : [compileRadio(radio, inside(values, 'radio'))];
  return {
    deviceId: compileIdentity(spec, header),
    time: time === undefined ? () => undefined : compileTime(time, inside(values, 'time')),
    fill: compileUplinkFields(spec, header),
    collect: [...all, ...measurements, ...readRadio],
    event: spec.event,
  };
}

function compileIdentity({ deviceId, devEui, event }: MappingRule, scope: Scope): Read<string> {
  if (deviceId !== undefined && devEui !== undefined) {
    scope.problems.push({ path: scope.path, detail: 'has deviceId and devEui: write one' });
  }
  if (deviceId !== undefined) return compileDeviceId(deviceId, inside(scope, 'deviceId'));
  if (devEui !== undefined) {
    return compileDevEui({ ...devEui, required: true }, inside(scope, 'devEui'));
  }
  return (context) => {
    if (context.account !== undefined || event !== undefined) return context.account;
    return complain(context, 'account', 'tied to a device, and the mapping names none');
  };
}

function asItem(
  parts: Parts,
  context: Context,
  adapter: string,
  elements: readonly Context[] = [context],
): PayloadUplink | SourceEvent | undefined {
  const deviceId = parts.deviceId(context);
  const collection = createCollection();
  let time: number | undefined;
  for (const element of elements) {
    time = parts.time(element);
    for (const collect of parts.collect) collect(element, collection, time);
    if (element.hasContent) context.hasContent = true;
  }
  noteComplaint(collection, context);
  if (parts.event !== undefined)
    return asEvent(parts, { context, adapter, deviceId, collection, time });
  const uplink: Draft<PayloadUplink> = {
    kind: 'payload',
    adapter,
    deviceId: deviceId ?? '',
    rxInfo: [],
  };
  parts.fill(uplink, context);
  if (!context.hasContent) complain(context, '', 'a message that carries what the mapping reads');
  if (context.complaints.length > 0) return undefined;
  if (collection.measurements.length > 0) uplink.measurements = collection.measurements;
  const radio = radioOf(collection);
  if (radio !== undefined) uplink.radio = radio;
  return uplink;
}

function noteComplaint({ complaint }: Collection, context: Context): void {
  if (complaint !== undefined) complain(context, complaint.name, complaint.expected);
}

interface EventParts {
  readonly context: Context;
  readonly adapter: string;
  readonly deviceId: string | undefined;
  readonly collection: Collection;
  readonly time: number | undefined;
}

/** The time of an event is the network's where it tells one, else that of its values. */
function asEvent(
  { event = '', fill }: Parts,
  { context, adapter, deviceId, collection, time }: EventParts,
): SourceEvent | undefined {
  const header: Draft<PayloadUplink> = { kind: 'payload', adapter, deviceId: '', rxInfo: [] };
  fill(header, context);
  if (context.complaints.length > 0) return undefined;
  const item: Draft<SourceEvent> = { kind: 'event', adapter, type: event };
  if (deviceId !== undefined) item.deviceId = deviceId;
  const gatewayId = header.rxInfo[0]?.gatewayId;
  if (gatewayId !== undefined) item.gatewayId = gatewayId;
  const when = header.rxTime ?? time;
  if (when !== undefined) item.time = when;
  if (collection.measurements.length > 0) item.measurements = collection.measurements;
  return item;
}
