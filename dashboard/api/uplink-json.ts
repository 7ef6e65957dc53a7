/** A ledger entry in the words of the HTTP API. */
import type { LedgerEntry } from '../../gateway/ledger/ledger.ts';
import { type FrameView, type Opened, viewFrame } from '../../gateway/lorawan/frame-view.ts';
import type { Measurement, RxInfo, VerifiedUplink } from '../../gateway/model/uplink.ts';
import type { DashboardParts } from '../parts.ts';
import type { UplinkJson } from '../protocol-uplinks.ts';

export function uplinkJson(
  entry: LedgerEntry,
  { catalogue, ledger }: Pick<DashboardParts, 'catalogue' | 'ledger'>,
): UplinkJson {
  const { seq, outcome, receivedAt, transport, route, credential, item, copyOf } = entry;
  const base = {
    seq,
    outcome,
    receivedAt: new Date(receivedAt).toISOString(),
    transport,
    route,
    credential,
    ...(item.adapter === undefined ? {} : { adapter: item.adapter }),
    ...(item.deviceId === undefined ? {} : { device: item.deviceId }),
    ...(copyOf === undefined ? {} : { copyOf }),
  };
  switch (item.kind) {
    case 'quarantined':
      return { ...base, fault: { code: item.fault.code, detail: item.fault.detail } };
    case 'event':
      return {
        ...base,
        event: item.type,
        ...(item.phyPayload === undefined ? {} : frameOf(item.phyPayload)),
        ...(item.vouchedBy === undefined ? {} : { vouchedBy: item.vouchedBy }),
      };
    case 'payload': {
      const verdict = catalogue.verdict(seq);
      // Without a counter nothing tells a second reception from a second uplink.
      const isFirst = outcome === 'accepted' && item.fCnt !== undefined;
      const copies = isFirst ? ledger.copiesOf(seq) : [];
      return {
        ...base,
        ...payloadJson(item, copies.flatMap(receptionsOf)),
        ...(verdict === undefined ? {} : { fault: { code: verdict.code, detail: verdict.detail } }),
      };
    }
  }
}

function receptionsOf({ item }: LedgerEntry): readonly RxInfo[] {
  return item.kind === 'payload' ? item.rxInfo : [];
}

function payloadJson(uplink: VerifiedUplink, later: readonly RxInfo[]) {
  const { devAddr, fPort, fCnt, frmPayload, phyPayload, object, rxTime, radio, vouchedBy } = uplink;
  const { confirmed, counterBefore, measurements, txInfo } = uplink;
  const heard = mergeReceptions([...uplink.rxInfo, ...later]);
  return {
    ...(devAddr === undefined ? {} : { devAddr }),
    ...(fPort === undefined ? {} : { fPort }),
    ...(fCnt === undefined ? {} : { fCnt }),
    ...(counterBefore === undefined ? {} : { counterBefore }),
    ...(confirmed === undefined ? {} : { confirmed }),
    ...(frmPayload === undefined ? {} : { frmPayload: frmPayload.toString('hex') }),
    ...(phyPayload === undefined ? {} : frameOf(phyPayload, openedOf(uplink))),
    ...(object === undefined ? {} : { object: { ...object } }),
    ...(measurements === undefined ? {} : { measurements: measurements.map(measurementJson) }),
    ...(rxTime === undefined ? {} : { rxTime: new Date(rxTime).toISOString() }),
    ...(txInfo === undefined ? {} : { txInfo: { ...txInfo } }),
    ...(heard.length === 0 ? {} : { rxInfo: heard.map(rxInfoJson) }),
    ...(radio === undefined ? {} : { radio: { ...radio } }),
    vouchedBy,
  };
}

/** The bytes of a frame and what stands in them. */
function frameOf(phyPayload: Buffer, opened: Opened = {}) {
  const frame = viewFrame(phyPayload, opened);
  return {
    phyPayload: phyPayload.toString('hex'),
    ...(frame === undefined ? {} : { frame: frameJson(frame) }),
  };
}

function openedOf({ fPort, frmPayload, fOpts }: VerifiedUplink): Opened {
  return {
    ...(fOpts === undefined ? {} : { fOpts }),
    ...(fPort === 0 && frmPayload !== undefined ? { macPayload: frmPayload } : {}),
  };
}

function frameJson({ fCtrl, macCommands, ...plain }: FrameView) {
  return {
    ...plain,
    ...(fCtrl === undefined ? {} : { fCtrl: { ...fCtrl } }),
    ...(macCommands === undefined
      ? {}
      : { macCommands: macCommands.map((one) => ({ ...one, fields: { ...one.fields } })) }),
  };
}

/** Two networks may tell of the same reception; a gateway with two antennas hears twice. */
function mergeReceptions(receptions: readonly RxInfo[]): RxInfo[] {
  const known = new Set<string>();
  return receptions.filter(({ gatewayId, rssi, snr }) => {
    const name = `${gatewayId} ${rssi} ${snr}`;
    const isNew = !known.has(name);
    known.add(name);
    return isNew;
  });
}

function measurementJson({ time, ...measurement }: Measurement) {
  return {
    ...measurement,
    ...(time === undefined ? {} : { time: new Date(time).toISOString() }),
  };
}

function rxInfoJson({ gatewayId, rssi, snr, rxTime, location }: RxInfo) {
  return {
    gatewayId,
    ...(rssi === undefined ? {} : { rssi }),
    ...(snr === undefined ? {} : { snr }),
    ...(rxTime === undefined ? {} : { rxTime: new Date(rxTime).toISOString() }),
    ...(location === undefined ? {} : { location: { ...location } }),
  };
}
