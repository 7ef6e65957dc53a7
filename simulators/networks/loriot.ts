/**
 * What LORIOT's application outputs hand on for an uplink: `rx` at once, of one gateway that it
 * does not name, and `gw` when all gateways have reported.
 */
import { airtimeMs } from '../lorawan/airtime.ts';
import type { LorawanUplink } from '../lorawan/city-uplink.ts';
import type { Reception } from '../lorawan/radio.ts';
import type { CityGateway } from '../scenario.ts';
import { cutTemplate, jsonList, keptFor, type Slots, type Template } from './template.ts';
import { timeText } from './time-text.ts';

/** Its topics are free text; the gateway routes this one. */
export const loriotTopic = 'loriot/baku';
/** MHDR, DevAddr, FCtrl, FCnt, FPort and MIC around the payload. */
const frameOverhead = 13;
/** The server has not asked the device for its battery. */
const batteryUnknown = 255;

export const loriotGwJson: Template<LorawanUplink> = cutTemplate((slots) => ({
  cmd: 'gw',
  ...frameFields(slots),
  ...airFields(slots),
  gws: slots.json(({ transmission }) =>
    jsonList(transmission.receptions, (reception) => gatewayBy(reception.gateway)(reception)),
  ),
  sessionKeyId: null,
  bat: batteryUnknown,
  data: slots.text(({ frmPayload }) => frmPayload.toString('hex')),
}));

export const loriotRxJson: Template<LorawanUplink> = cutTemplate((slots) => ({
  cmd: 'rx',
  ...frameFields(slots),
  rssi: slots.number(({ transmission }) => transmission.receptions[0].rssi),
  snr: slots.number(({ transmission }) => transmission.receptions[0].snr),
  ...airFields(slots),
  bat: batteryUnknown,
  offline: false,
  data: slots.text(({ frmPayload }) => frmPayload.toString('hex')),
}));

function frameFields({ text, number }: Slots<LorawanUplink>) {
  return {
    seqno: number(({ fCnt }) => fCnt + 1),
    EUI: text(({ device }) => device.id.toUpperCase()),
    ts: number(({ time }) => time),
    fcnt: number(({ fCnt }) => fCnt),
    port: number(({ fPort }) => fPort),
    freq: number(({ transmission }) => transmission.frequency),
  };
}

function airFields({ text, number }: Slots<LorawanUplink>) {
  return {
    toa: number(({ frmPayload, transmission }) =>
      airtimeMs(frmPayload.length + frameOverhead, transmission.spreadingFactor),
    ),
    dr: text(({ transmission }) => `SF${transmission.spreadingFactor} BW125 4/5`),
    ack: false,
  };
}

const gatewayBy = keptFor(
  ({ id, location }: CityGateway): Template<Reception> =>
    cutTemplate(({ text, number }) => ({
      rssi: number(({ rssi }) => rssi),
      snr: number(({ snr }) => snr),
      ts: number(({ rxTime }) => rxTime),
      tmms: null,
      time: text(({ rxTime }) => `${timeText(rxTime)}000Z`),
      gweui: id.toUpperCase(),
      ant: 0,
      lat: location.latitude,
      lon: location.longitude,
    })),
);
