/**
 * Real traffic for tests: the frames of an ELSYS EMS sensor on the Perret tower in Grenoble (data
 * set of Donsez and Alphand, ODbL-1.0), made into signed and encrypted frames again. Counters with
 * their gaps and retransmissions, times, signal and values are the data set's; keys and addresses
 * are simulated, since the published data has none.
 */
import { createHash } from 'node:crypto';
import { createFrameSigner, type FrameSigner } from './lorawan/abp-device.ts';
import type { Envelope } from './networks/envelope.ts';
import { gatewayBridgeEnvelopes } from './networks/gateway-bridge.ts';
import { elsysFPort, encodeElsys } from './payload-elsys.ts';
import { devEuiPrefix, gatewayEuiPrefix } from './scenario.ts';

const rowsMax = 100_000;
/** The listed size of every uplink with values. */
export const emsPayloadLength = 23;

export interface TourPerretRow {
  /** Epoch milliseconds. */
  readonly time: number;
  readonly fCnt: number;
  readonly fPort: number;
  readonly payloadSize: number;
  readonly spreadingFactor: number;
  /** Hz */
  readonly frequency: number;
  /** dBm, dB */
  readonly rssi: number;
  readonly snr: number;
  /** Absent for the uplinks that carry something else, or whose values were not published. */
  readonly values?: EmsValues;
}

export interface EmsValues {
  /** Cel */
  readonly temperature: number;
  /** % */
  readonly humidity: number;
  /** mV */
  readonly vdd: number;
  readonly accelerationMotion: number;
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

export interface TourPerretSession {
  readonly devAddr: string;
  readonly nwkSKey: Buffer;
  readonly appSKey: Buffer;
}

export interface TourPerretFrame extends Envelope {
  readonly row: TourPerretRow;
  readonly session: TourPerretSession;
  readonly frmPayload: Buffer;
  readonly phyPayload: Buffer;
}

export const tourPerretDevEui = `${devEuiPrefix}70657272`;
const gatewayId = `${gatewayEuiPrefix}70657272`;
/** The tower stands in the Paul Mistral park. */
const location = { latitude: 45.1852, longitude: 5.7351 };

/**
 * Every row that can be made into bytes, in the order of the data set. A counter that falls starts
 * a new session with keys of its own, as the sensor's new join did.
 */
export function* tourPerretFrames(csv: string, seed: string): Generator<TourPerretFrame> {
  let session = createSession(seed, 0);
  let sign = createFrameSigner(session);
  let sessions = 1;
  let lastFCnt = 0;
  for (const row of parseTourPerret(csv)) {
    if (row.fCnt < lastFCnt) {
      session = createSession(seed, sessions);
      sign = createFrameSigner(session);
      sessions += 1;
    }
    lastFCnt = row.fCnt;
    if (row.values !== undefined) yield createFrame({ ...row, values: row.values }, session, sign);
  }
}

/** Throws on a table that is not this data set's. */
export function* parseTourPerret(csv: string): Generator<TourPerretRow> {
  const [header, ...lines] = csv.trimEnd().split(/\r?\n/);
  const expected =
    'time,fcnt,port,payload_size,gateways,sf,freq_mhz,best_rssi,best_snr,' +
    'temperature,humidity,vdd_mv,acc_motion,x,y,z';
  if (header !== expected || lines.length > rowsMax) {
    throw new RangeError('this is not the Tour Perret data set');
  }
  for (const line of lines) yield parseRow(line);
}

function parseRow(line: string): TourPerretRow {
  const cells = line.split(',');
  const number = (column: number): number => Number(cells[column] || Number.NaN);
  const values: EmsValues = {
    temperature: number(9),
    humidity: number(10),
    vdd: number(11),
    accelerationMotion: number(12),
    x: number(13),
    y: number(14),
    z: number(15),
  };
  const isComplete = Object.values(values).every(Number.isFinite);
  return {
    time: Date.parse(cells[0] ?? ''),
    fCnt: number(1),
    fPort: number(2),
    payloadSize: number(3),
    // Some rows have the start of the bandwidth in this column: "SF7B".
    spreadingFactor: Number(/^SF(\d+)/.exec(cells[5] ?? '')?.[1]),
    frequency: Math.round(number(6) * 10) * 100_000,
    rssi: number(7),
    snr: number(8),
    ...(isComplete ? { values } : {}),
  };
}

/**
 * The sensor's bytes: temperature, humidity, acceleration, supply, total of the reed switch, reed
 * switch, motion and leak. The last three that the data set does not list are at rest.
 */
export function encodeEms(values: EmsValues): Buffer {
  return encodeElsys({
    temperature: values.temperature,
    humidity: values.humidity,
    acceleration: { x: values.x, y: values.y, z: values.z },
    vdd: values.vdd,
    pulse1Absolute: 0,
    digital: 0,
    accelerationMotion: values.accelerationMotion,
    waterLeak: 0,
  });
}

function createFrame(
  row: TourPerretRow & { values: EmsValues },
  session: TourPerretSession,
  sign: FrameSigner,
): TourPerretFrame {
  const frmPayload = encodeEms(row.values);
  // The sensor repeats a counter minutes later until it hears an answer: confirmed uplinks.
  const phyPayload = sign({ fPort: elsysFPort, frmPayload, fCnt: row.fCnt, confirmed: true });
  const identity = createHash('sha256').update(`${row.time}`).digest();
  const [envelope] = gatewayBridgeEnvelopes(phyPayload, {
    frequency: row.frequency,
    spreadingFactor: row.spreadingFactor,
    dataRate: 12 - row.spreadingFactor,
    receptions: [
      {
        gateway: { id: gatewayId, location },
        rssi: row.rssi,
        snr: row.snr,
        rxTime: row.time,
        uplinkId: identity.readUInt32BE(0),
        context: identity.subarray(4, 8).toString('base64'),
        channel: 0,
      },
    ],
  });
  return { ...envelope, row, session, frmPayload, phyPayload };
}

function createSession(seed: string, index: number): TourPerretSession {
  const part = (name: string): Buffer =>
    createHash('sha256').update(`${seed}\ntour-perret\n${index}\n${name}`).digest();
  return {
    devAddr: `01${part('devAddr').toString('hex').slice(0, 6)}`,
    nwkSKey: part('nwkSKey').subarray(0, 16),
    appSKey: part('appSKey').subarray(0, 16),
  };
}
