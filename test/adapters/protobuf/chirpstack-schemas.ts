/**
 * Field numbers of ChirpStack's published definitions: integration.proto and gw.proto of v4 and v3.
 */
import {
  base64,
  counts,
  double,
  flag,
  float,
  integer,
  list,
  mapOf,
  message,
  oneOf,
  type Schema,
  struct,
  text,
  timestamp,
} from './encoder.ts';

const crcStatus = oneOf('NO_CRC', 'BAD_CRC', 'CRC_OK');

const location: Schema = {
  latitude: [1, double],
  longitude: [2, double],
  altitude: [3, double],
  source: [4, integer],
  accuracy: [5, float],
};

const deviceInfo: Schema = {
  tenantId: [1, text],
  tenantName: [2, text],
  applicationId: [3, text],
  applicationName: [4, text],
  deviceProfileId: [5, text],
  deviceProfileName: [6, text],
  deviceName: [7, text],
  devEui: [8, text],
  tags: [9, mapOf(text)],
  deviceClassEnabled: [10, oneOf('CLASS_A', 'CLASS_B', 'CLASS_C')],
};

export const rxInfo: Schema = {
  gatewayId: [1, text],
  uplinkId: [2, integer],
  gwTime: [3, timestamp],
  // The name that ChirpStack gave it before version 4.4.
  time: [3, timestamp],
  rssi: [6, integer],
  snr: [7, float],
  channel: [8, integer],
  rfChain: [9, integer],
  board: [10, integer],
  antenna: [11, integer],
  location: [12, message(location)],
  context: [13, base64],
  metadata: [15, mapOf(text)],
  crcStatus: [16, crcStatus],
  nsTime: [17, timestamp],
};

const lora: Schema = {
  bandwidth: [1, integer],
  spreadingFactor: [2, integer],
  polarizationInversion: [4, flag],
  codeRate: [5, oneOf('CR_UNDEFINED', 'CR_4_5', 'CR_4_6', 'CR_4_7', 'CR_4_8')],
};
const fsk: Schema = { frequencyDeviation: [1, integer], datarate: [2, integer] };
const modulation: Schema = { lora: [3, message(lora)], fsk: [4, message(fsk)] };

export const txInfo: Schema = { frequency: [1, integer], modulation: [2, message(modulation)] };

const downlinkTxInfo: Schema = {
  frequency: [1, integer],
  power: [2, integer],
  modulation: [3, message(modulation)],
  context: [7, base64],
};

const head: Schema = {
  deduplicationId: [1, text],
  time: [2, timestamp],
  deviceInfo: [3, message(deviceInfo)],
};

const joinServerContext: Schema = {
  sessionKeyId: [1, text],
  appSKey: [2, message({ kekLabel: [1, text], aesKey: [2, base64] })],
};

/** By the event's word in the topic. */
export const version4 = {
  up: {
    ...head,
    devAddr: [4, text],
    adr: [5, flag],
    dr: [6, integer],
    fCnt: [7, integer],
    fPort: [8, integer],
    confirmed: [9, flag],
    data: [10, base64],
    object: [11, struct],
    rxInfo: [12, list(message(rxInfo))],
    txInfo: [13, message(txInfo)],
    joinServerContext: [15, message(joinServerContext)],
    regionConfigId: [16, text],
  },
  join: { ...head, devAddr: [4, text] },
  status: {
    ...head,
    margin: [5, integer],
    externalPowerSource: [6, flag],
    batteryLevelUnavailable: [7, flag],
    batteryLevel: [8, float],
  },
  ack: { ...head, queueItemId: [4, text], acknowledged: [5, flag], fCntDown: [6, integer] },
  txack: {
    ...head,
    downlinkId: [1, integer],
    queueItemId: [4, text],
    fCntDown: [5, integer],
    gatewayId: [6, text],
    txInfo: [7, message(downlinkTxInfo)],
  },
  log: {
    time: [1, timestamp],
    deviceInfo: [2, message(deviceInfo)],
    level: [3, oneOf('INFO', 'WARNING', 'ERROR')],
    code: [4, oneOf('UNKNOWN', '', '', '', '', '', 'UPLINK_MIC')],
    description: [5, text],
    context: [6, mapOf(text)],
  },
  location: { ...head, location: [4, message(location)] },
  integration: {
    ...head,
    integrationName: [4, text],
    eventType: [5, text],
    object: [6, struct],
  },
} as const satisfies Record<string, Schema>;

const legacyRxInfo: Schema = {
  gatewayID: [1, base64],
  time: [2, timestamp],
  rssi: [5, integer],
  loRaSNR: [6, double],
  channel: [7, integer],
  rfChain: [8, integer],
  location: [11, message(location)],
  fineTimestampType: [12, oneOf('NONE')],
  context: [15, base64],
  uplinkID: [16, base64],
  crcStatus: [17, crcStatus],
};

const legacyLora: Schema = {
  bandwidth: [1, integer],
  spreadingFactor: [2, integer],
  codeRate: [3, text],
  polarizationInversion: [4, flag],
};

const legacyTxInfo: Schema = {
  frequency: [1, integer],
  modulation: [2, oneOf('LORA', 'FSK')],
  loRaModulationInfo: [3, message(legacyLora)],
  fskModulationInfo: [4, message(fsk)],
};

const head3: Schema = {
  applicationID: [1, integer],
  applicationName: [2, text],
  deviceName: [3, text],
  devEUI: [4, base64],
};

export const version3 = {
  up: {
    ...head3,
    rxInfo: [5, list(message(legacyRxInfo))],
    txInfo: [6, message(legacyTxInfo)],
    adr: [7, flag],
    dr: [8, integer],
    fCnt: [9, integer],
    fPort: [10, integer],
    data: [11, base64],
    objectJSON: [12, text],
    tags: [13, mapOf(text)],
    confirmedUplink: [14, flag],
    devAddr: [15, base64],
    publishedAt: [16, timestamp],
  },
  join: {
    ...head3,
    devAddr: [5, base64],
    rxInfo: [6, list(message(legacyRxInfo))],
    publishedAt: [10, timestamp],
  },
  ack: { ...head3, acknowledged: [5, flag], fCnt: [6, integer], publishedAt: [8, timestamp] },
  txack: { ...head3, fCnt: [5, integer], gatewayID: [7, base64], publishedAt: [9, timestamp] },
  error: {
    ...head3,
    type: [5, oneOf('UNKNOWN', '', '', '', '', '', '', 'UPLINK_MIC')],
    error: [6, text],
    publishedAt: [9, timestamp],
  },
  status: {
    ...head3,
    margin: [5, integer],
    externalPowerSource: [6, flag],
    batteryLevelUnavailable: [7, flag],
    batteryLevel: [8, float],
    publishedAt: [10, timestamp],
  },
  location: { ...head3, location: [5, message(location)], publishedAt: [9, timestamp] },
  integration: {
    ...head3,
    integrationName: [6, text],
    eventType: [7, text],
    objectJSON: [8, text],
    publishedAt: [9, timestamp],
  },
} as const satisfies Record<string, Schema>;

const perModulation: Schema = { modulation: [1, message(modulation)], count: [2, integer] };

/** Messages of a gateway bridge, by the word of their topic. */
export const gateway = {
  up: {
    phyPayload: [1, base64],
    txInfoLegacy: [2, message(legacyTxInfo)],
    rxInfoLegacy: [3, message(legacyRxInfo)],
    txInfo: [4, message(txInfo)],
    rxInfo: [5, message(rxInfo)],
  },
  stats: {
    gatewayIdLegacy: [1, base64],
    time: [2, timestamp],
    location: [3, message(location)],
    configVersion: [4, text],
    rxPacketsReceived: [5, integer],
    rxPacketsReceivedOk: [6, integer],
    txPacketsReceived: [7, integer],
    txPacketsEmitted: [8, integer],
    metadata: [10, mapOf(text)],
    txPacketsPerFrequency: [12, counts],
    rxPacketsPerFrequency: [13, counts],
    txPacketsPerModulation: [14, list(message(perModulation))],
    rxPacketsPerModulation: [15, list(message(perModulation))],
    txPacketsPerStatus: [16, mapOf(integer)],
    gatewayId: [17, text],
  },
  ack: {
    gatewayIdLegacy: [1, base64],
    downlinkId: [2, integer],
    items: [5, list(message({ status: [1, oneOf('IGNORED', 'OK')] }))],
    gatewayId: [6, text],
  },
  exec: {
    gatewayID: [6, text],
    gatewayId: [6, text],
    execId: [7, integer],
    stdout: [3, base64],
    stderr: [4, base64],
    error: [5, text],
  },
  raw: { gatewayID: [4, text], gatewayId: [4, text], payload: [3, base64] },
  conn: {
    gatewayIdLegacy: [1, base64],
    state: [2, oneOf('OFFLINE', 'ONLINE')],
    gatewayId: [3, text],
  },
  down: {
    phyPayload: [1, base64],
    downlinkId: [3, integer],
    items: [
      5,
      list(message({ phyPayload: [1, base64], txInfo: [3, message({ frequency: [1, integer] })] })),
    ],
    gatewayId: [7, text],
  },
} as const satisfies Record<string, Schema>;
