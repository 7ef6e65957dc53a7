/** The fields that an uplink has once: address, port, counter, payload, times, receptions. */
import { hash } from 'node:crypto';
import type { MappingRule } from '../../../config/mapping-schema.ts';
import type { PayloadUplink } from '../../model/uplink.ts';
import type { Draft } from '../place.ts';
import { type Context, inside, type Read, type Scope } from './context.ts';
import { compileDevAddr, compileFlag, compilePayload } from './fields.ts';
import { noteContent } from './measurement-rules.ts';
import { compileCount } from './numbers.ts';
import { compileGateways, compileTx } from './reception-rules.ts';
import { compileOpenSource } from './source.ts';
import { compileTime } from './times.ts';

export type Fill = (uplink: Draft<PayloadUplink>, context: Context) => void;

/** Codecs are asked for ports above 0; what never was a LoRaWAN frame is sent to this one. */
export const defaultPort = 1;

/** Only the steps that the rule names run for each message. */
export function compileUplinkFields(spec: MappingRule, scope: Scope): Fill {
  const steps: Fill[] = [];
  const { devAddr, fCnt, confirmed, payload, rxTime, messageKey, gateways, tx } = spec;
  if (devAddr !== undefined) {
    steps.push(setting('devAddr', compileDevAddr(devAddr, inside(scope, 'devAddr'))));
  }
  if (spec.fPort !== undefined || payload !== undefined) {
    const port = { max: 255, scope: inside(scope, 'fPort') };
    steps.push(setting('fPort', compileCount(spec.fPort ?? { value: defaultPort }, port)));
  }
  if (fCnt !== undefined) {
    const counter = { max: 0xffff_ffff, scope: inside(scope, 'fCnt') };
    steps.push(setting('fCnt', compileCount(fCnt, counter)));
  }
  if (confirmed !== undefined) {
    steps.push(setting('confirmed', compileFlag(confirmed, inside(scope, 'confirmed'))));
  }
  if (payload !== undefined) {
    const read = noteContent(compilePayload(payload, inside(scope, 'payload')));
    steps.push(setting('frmPayload', read));
  }
  if (spec.encrypted === true) steps.push(setting('encrypted', () => true));
  if (rxTime !== undefined) {
    steps.push(setting('rxTime', compileTime(rxTime, inside(scope, 'rxTime'))));
  }
  if (messageKey !== undefined) {
    steps.push(setting('messageKey', compileMessageKey(messageKey, inside(scope, 'messageKey'))));
  }
  if (spec.simulated === true) steps.push(setting('simulated', () => true));
  if (gateways !== undefined) {
    const read = compileGateways(gateways, inside(scope, 'gateways'));
    steps.push(setting('rxInfo', read));
  }
  if (tx !== undefined) steps.push(setting('txInfo', compileTx(tx, inside(scope, 'tx'))));
  return (uplink, context) => {
    for (const step of steps) step(uplink, context);
  };
}

function setting<Field extends keyof PayloadUplink>(
  field: Field,
  read: Read<NonNullable<PayloadUplink[Field]>>,
): Fill {
  return (uplink, context) => {
    const value = read(context);
    if (value !== undefined) uplink[field] = value;
  };
}

const keyLengthMax = 128;

/** Undefined when a part is missing: half a key may be that of another message. */
function compileMessageKey(sources: readonly string[], scope: Scope): Read<string> {
  const reads = sources.map((source, at) => compileOpenSource(source, inside(scope, at)));
  return (context) => {
    const parts: string[] = [];
    for (const read of reads) {
      const value = read(context);
      if ((typeof value !== 'string' && typeof value !== 'number') || value === '')
        return undefined;
      parts.push(String(value));
    }
    const key = parts.length === 1 ? (parts[0] ?? '') : JSON.stringify(parts);
    return key.length <= keyLengthMax ? key : `sha256:${hash('sha256', key)}`;
  };
}
