/** Which LoRa gateways heard a frame and how it was sent, from the places that a mapping names. */
import type { GatewaysSpec, NumberSpec, TxSpec } from '../../../config/mapping-schema.ts';
import { parseEui64 } from '../../model/eui.ts';
import type { Location, RxInfo, TxInfo } from '../../model/uplink.ts';
import type { Draft } from '../place.ts';
import { receptionsMax } from '../reception.ts';
import { type Context, complain, inside, type Read, type Scope } from './context.ts';
import { compileText } from './fields.ts';
import { compileNumber, isAbsent } from './numbers.ts';
import { compileOpenSource } from './source.ts';
import { compileTime } from './times.ts';

/** One object counts as an array of one. A reception without a gateway's name is left out. */
export function compileGateways(
  spec: GatewaysSpec,
  outer: Scope,
): (context: Context) => readonly RxInfo[] {
  const { from } = spec;
  const scope = from === undefined ? outer : { ...outer, hasElement: true };
  const readOne = compileReception(spec, scope);
  if (from === undefined) return (context) => listOf(readOne(context));
  const read = compileOpenSource(from, inside(outer, 'from'));
  return (context) => {
    const found = read(context);
    if (isAbsent(found)) return [];
    const elements: readonly unknown[] = Array.isArray(found) ? found : [found];
    return elements
      .slice(0, receptionsMax)
      .flatMap((element, index) => listOf(readOne({ ...context, element, index })));
  };
}

function listOf(rxInfo: RxInfo | undefined): RxInfo[] {
  return rxInfo === undefined ? [] : [rxInfo];
}

function compileReception(spec: GatewaysSpec, scope: Scope): Read<RxInfo> {
  const id = compileText(spec.id, inside(scope, 'id'));
  const number = (key: 'rssi' | 'snr') => compileOptionalNumber(spec[key], scope, key);
  const rssi = number('rssi');
  const snr = number('snr');
  const rxTime =
    spec.rxTime === undefined ? undefined : compileTime(spec.rxTime, inside(scope, 'rxTime'));
  const location = compileLocation(spec, scope);
  return (context) => {
    const name = id(context);
    if (name === undefined) return undefined;
    const rxInfo: Draft<RxInfo> = { gatewayId: parseEui64(name) ?? name };
    put(rxInfo, 'rssi', rssi(context));
    put(rxInfo, 'snr', snr(context));
    put(rxInfo, 'rxTime', rxTime?.(context));
    const place = location(context);
    if (place !== undefined) rxInfo.location = place;
    return rxInfo;
  };
}

function put<T, Field extends keyof T>(draft: T, field: Field, value: T[Field] | undefined): void {
  if (value !== undefined) draft[field] = value;
}

function compileOptionalNumber(
  spec: NumberSpec | undefined,
  scope: Scope,
  key: string,
): Read<number> {
  return spec === undefined ? () => undefined : compileNumber(spec, inside(scope, key));
}

/** Both degrees at zero mean that nobody has set the place. */
function compileLocation(spec: GatewaysSpec, scope: Scope): Read<Location> {
  const latitude = compileOptionalNumber(spec.latitude, scope, 'latitude');
  const longitude = compileOptionalNumber(spec.longitude, scope, 'longitude');
  const altitude = compileOptionalNumber(spec.altitude, scope, 'altitude');
  return (context) => {
    const north = latitude(context);
    const east = longitude(context);
    if (north === undefined || east === undefined || (north === 0 && east === 0)) return undefined;
    if (Math.abs(north) > 90 || Math.abs(east) > 180) return undefined;
    const up = altitude(context);
    return { latitude: north, longitude: east, ...(up === undefined ? {} : { altitude: up }) };
  };
}

const loraRate = /^SF(\d{1,2})\s?BW(\d{2,4}(?:\.\d)?)$/i;

export function compileTx(spec: TxSpec, scope: Scope): Read<TxInfo> {
  const frequency = compileOptionalNumber(spec.frequency, scope, 'frequency');
  const bandwidth = compileOptionalNumber(spec.bandwidth, scope, 'bandwidth');
  const spreadingFactor = compileOptionalNumber(spec.spreadingFactor, scope, 'spreadingFactor');
  const { dataRate } = spec;
  const rate =
    dataRate === undefined ? undefined : compileText(dataRate, inside(scope, 'dataRate'));
  return (context) => {
    const [, factor, kilohertz] = loraRate.exec(rate?.(context) ?? '') ?? [];
    if (rate !== undefined && factor === undefined && rate(context) !== undefined) {
      return complain(context, dataRate?.from ?? '', 'a data rate such as SF7BW125');
    }
    const txInfo: Draft<TxInfo> = {};
    put(txInfo, 'frequency', frequency(context));
    put(txInfo, 'bandwidth', bandwidth(context) ?? numberOf(kilohertz, 1_000));
    put(txInfo, 'spreadingFactor', spreadingFactor(context) ?? numberOf(factor, 1));
    return Object.keys(txInfo).length === 0 ? undefined : txInfo;
  };
}

function numberOf(text: string | undefined, factor: number): number | undefined {
  return text === undefined ? undefined : Number(text) * factor;
}
