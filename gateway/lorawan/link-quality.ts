/**
 * How well a device is heard, from its newest uplinks: what was lost between counters, how strong
 * the best gateway heard it, which gateways there are, and how long it occupies the air. Pure.
 */
import type { RxInfo, TxInfo } from '../model/uplink.ts';
import { airtimeOf, snrFloorOf } from './airtime.ts';

export interface HeardUplink {
  /** Epoch milliseconds. */
  readonly time: number;
  readonly fCnt?: number;
  /** What the counter belongs to: DevAddr and session, where they are known. */
  readonly session: string;
  /** Bytes on air. */
  readonly size: number;
  readonly txInfo?: TxInfo;
  /** By every gateway that heard it. */
  readonly rxInfo: readonly RxInfo[];
}

export interface LinkQuality {
  readonly received: number;
  /** Missing between the counters seen. */
  readonly lost: number;
  /** Times that the counter began anew. */
  readonly resets: number;
  /** Of those uplinks that tell their data rate. */
  readonly airtimeSeconds: number;
  readonly gateways: readonly GatewayQuality[];
  readonly trend: readonly LinkPeriod[];
}

export interface GatewayQuality {
  readonly gatewayId: string;
  readonly receptions: number;
  /** Uplinks that it heard better than any other gateway. */
  readonly best: number;
  readonly rssi?: number;
  readonly snr?: number;
  readonly lastHeard: number;
}

/** Means over a period, of the gateway that heard each uplink best. */
export interface LinkPeriod {
  readonly from: number;
  /** Exclusive, but for the last. */
  readonly to: number;
  readonly received: number;
  readonly lost: number;
  readonly rssi?: number;
  readonly snr?: number;
  readonly spreadingFactor?: number;
  /** dB above what a receiver needs at this spreading factor. */
  readonly margin?: number;
  readonly airtimeSeconds: number;
}

export const periodsMax = 24;
export const gatewaysMax = 50;
/** Counters that come this much late are late; further back a counter has begun anew. */
const lateMax = 64;

interface Measured {
  readonly uplink: HeardUplink;
  readonly best: RxInfo | undefined;
  /** Uplinks missing before this one; -1 for one that was thought missing. */
  readonly lost: number;
  readonly isReset: boolean;
  readonly airtimeSeconds: number;
}

/** The uplinks in the order in which they were received. */
export function linkQualityOf(uplinks: readonly HeardUplink[]): LinkQuality {
  const measured = measure(uplinks);
  return {
    received: uplinks.length,
    lost: sumOf(measured, ({ lost }) => lost),
    resets: measured.filter(({ isReset }) => isReset).length,
    airtimeSeconds: sumOf(measured, ({ airtimeSeconds }) => airtimeSeconds),
    gateways: gatewaysOf(measured),
    trend: trendOf(measured),
  };
}

function measure(uplinks: readonly HeardUplink[]): Measured[] {
  let session: string | undefined;
  let highest: number | undefined;
  return uplinks.map((uplink) => {
    const { fCnt } = uplink;
    const isFirst = highest === undefined || fCnt === undefined;
    const isOther = session !== undefined && uplink.session !== session;
    const isReset = !isFirst && (isOther || fCnt < (highest ?? 0) - lateMax);
    const lost = isFirst || isReset ? 0 : lostBefore(fCnt, highest ?? 0);
    if (fCnt !== undefined) {
      highest = isReset || highest === undefined ? fCnt : Math.max(highest, fCnt);
      session = uplink.session;
    }
    const best = bestOf(uplink.rxInfo);
    return { uplink, best, lost, isReset, airtimeSeconds: airtimeSecondsOf(uplink) };
  });
}

function lostBefore(fCnt: number, highest: number): number {
  if (fCnt > highest) return fCnt - highest - 1;
  return fCnt < highest ? -1 : 0;
}

/** By SNR, which says more than RSSI when there is noise. */
function bestOf(receptions: readonly RxInfo[]): RxInfo | undefined {
  const strength = ({ snr = -100, rssi = -200 }: RxInfo): number => snr * 1_000 + rssi;
  return receptions.reduce<RxInfo | undefined>(
    (best, one) => (best === undefined || strength(one) > strength(best) ? one : best),
    undefined,
  );
}

function airtimeSecondsOf({ size, txInfo }: HeardUplink): number {
  const { spreadingFactor, bandwidth = 125_000 } = txInfo ?? {};
  if (spreadingFactor === undefined || snrFloorOf(spreadingFactor) === undefined) return 0;
  return bandwidth > 0 ? airtimeOf({ size, spreadingFactor, bandwidth }) : 0;
}

interface Heard {
  receptions: number;
  best: number;
  readonly rssi: number[];
  readonly snr: number[];
  lastHeard: number;
}

function gatewaysOf(measured: readonly Measured[]): GatewayQuality[] {
  const byGateway = new Map<string, Heard>();
  for (const { uplink, best } of measured) {
    for (const { gatewayId, rssi, snr } of uplink.rxInfo) {
      const heard = byGateway.get(gatewayId) ?? emptyHeard();
      byGateway.set(gatewayId, heard);
      heard.receptions += 1;
      if (best?.gatewayId === gatewayId) heard.best += 1;
      if (rssi !== undefined) heard.rssi.push(rssi);
      if (snr !== undefined) heard.snr.push(snr);
      heard.lastHeard = Math.max(heard.lastHeard, uplink.time);
    }
  }
  return [...byGateway]
    .map(([gatewayId, { receptions, best, rssi, snr, lastHeard }]) => ({
      ...{ gatewayId, receptions, best, lastHeard },
      ...meanAs('rssi', rssi),
      ...meanAs('snr', snr),
    }))
    .sort((one, other) => other.best - one.best || other.receptions - one.receptions)
    .slice(0, gatewaysMax);
}

const emptyHeard = (): Heard => ({ receptions: 0, best: 0, rssi: [], snr: [], lastHeard: 0 });

/** Periods of equal length from the first uplink to the last; those without an uplink are gone. */
function trendOf(measured: readonly Measured[]): LinkPeriod[] {
  const times = measured.map(({ uplink }) => uplink.time);
  const from = times.reduce((one, other) => Math.min(one, other), Number.POSITIVE_INFINITY);
  const to = times.reduce((one, other) => Math.max(one, other), 0);
  const length = Math.max(1, (to - from) / periodsMax);
  const groups = new Map<number, Measured[]>();
  for (const one of measured) {
    const place = Math.min(periodsMax - 1, Math.floor((one.uplink.time - from) / length));
    groups.set(place, [...(groups.get(place) ?? []), one]);
  }
  return [...groups]
    .sort(([one], [other]) => one - other)
    .map(([place, group]) => periodOf(group, from + place * length, length));
}

function periodOf(group: readonly Measured[], from: number, length: number): LinkPeriod {
  const factors = group.flatMap(({ uplink }) => uplink.txInfo?.spreadingFactor ?? []);
  return {
    ...{ from: Math.round(from), to: Math.round(from + length), received: group.length },
    lost: sumOf(group, ({ lost }) => lost),
    airtimeSeconds: sumOf(group, ({ airtimeSeconds }) => airtimeSeconds),
    ...meanAs(
      'rssi',
      group.flatMap(({ best }) => best?.rssi ?? []),
    ),
    ...meanAs(
      'snr',
      group.flatMap(({ best }) => best?.snr ?? []),
    ),
    ...meanAs('spreadingFactor', factors),
    ...meanAs('margin', group.flatMap(marginOf)),
  };
}

function marginOf({ best, uplink }: Measured): number[] {
  const floor = snrFloorOf(uplink.txInfo?.spreadingFactor ?? 0);
  return floor === undefined || best?.snr === undefined ? [] : [best.snr - floor];
}

function meanAs<Name extends string>(
  name: Name,
  values: readonly number[],
): { readonly [Key in Name]?: number } {
  if (values.length === 0) return {};
  const mean = sumOf(values, (value) => value) / values.length;
  const rounded: { [Key in Name]?: number } = {};
  rounded[name] = Math.round(mean * 100) / 100;
  return rounded;
}

function sumOf<T>(items: readonly T[], pick: (item: T) => number): number {
  return items.reduce((sum, item) => sum + pick(item), 0);
}
