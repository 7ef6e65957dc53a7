/**
 * The air between devices and gateways. Devices send when they like (pure Aloha), so frames meet:
 * of those on one channel with one spreading factor a gateway keeps the one that is stronger by the
 * capture threshold, or none.
 *
 * Threshold and timing after Bor, Roedig, Voigt, Alonso: Do LoRa Low-Power Wide-Area Networks
 * Scale?, MSWiM 2016, and the simulator that they published with it: 6 dB; what ends before the
 * last five preamble symbols does no harm. Spreading factors are taken for orthogonal. A gateway
 * has eight paths for LoRa frames [Semtech SX1301 data sheet, V2.4] and hears nothing while it
 * sends.
 */
import { symbolMs } from './airtime.ts';
import { fadedSignal, isDecodable, type Path } from './propagation.ts';
import { type Reception, receive } from './radio.ts';

export interface Frame {
  /** Index among the channels of the plan. */
  readonly channel: number;
  readonly spreadingFactor: number;
  /** Epoch milliseconds. */
  readonly start: number;
  readonly end: number;
  /** Of the sender to every gateway. */
  readonly paths: readonly Path[];
  /** Of the sender, and which frame of it this is. */
  readonly key: number;
  readonly step: number;
}

export type Loss = 'too-weak' | 'collision' | 'gateway-busy';

export interface Fate {
  /** Best first. */
  readonly receptions: readonly Reception[];
  /** Why the gateway that was nearest to hearing it did not; only when nobody did. */
  readonly loss?: Loss;
}

export interface Air {
  begin(frame: Frame): void;
  /** To be asked at the frame's end, when all that it met has begun. */
  fateOf(frame: Frame): Fate;
  /** A gateway is deaf while it sends. */
  transmit(gatewayId: string, start: number, end: number): void;
}

const captureDb = 6;
const preambleSymbols = 8;
const preambleNeeded = 5;
const demodulators = 8;
/** Longer than any frame: what ended so long ago meets nobody that is still on the air. */
const frameMemoryMs = 4_000;
/** Longer than from an uplink to the end of its answer, which is planned when the uplink ends. */
const sendingMemoryMs = 10_000;

interface Sending {
  readonly start: number;
  readonly end: number;
}

export function createAir(): Air {
  let frames: Frame[] = [];
  const sendings = new Map<string, Sending[]>();

  /** `others` are the frames that it meets. */
  function lossAt(path: Path, frame: Frame, others: readonly Frame[]): Loss | undefined {
    const { gateway } = path;
    const signal = signalAt(path, frame);
    if (!isDecodable(signal, frame.spreadingFactor)) return 'too-weak';
    if (others.some((other) => isDrownedBy(other, { gatewayId: gateway.id, frame, signal }))) {
      return 'collision';
    }
    const isSending = (sendings.get(gateway.id) ?? []).some((one) => isOverlapping(one, frame));
    const earlier = others.filter((other) => other.start < frame.start && isHeard(other, path));
    return isSending || earlier.length >= demodulators ? 'gateway-busy' : undefined;
  }

  return {
    begin(frame) {
      const oldest = frame.start - frameMemoryMs;
      frames = frames.filter(({ end }) => end >= oldest);
      frames.push(frame);
    },
    fateOf(frame) {
      const others = frames.filter((other) => other !== frame && isOverlapping(other, frame));
      const losses = frame.paths.map((path) => ({ path, loss: lossAt(path, frame, others) }));
      const moment = { time: frame.end, channel: frame.channel };
      const receptions = losses
        .filter(({ loss }) => loss === undefined)
        .map(({ path }) => receive(path, moment, stepOf(path, frame)))
        .sort((left, right) => right.rssi - left.rssi);
      const worst =
        losses.find(({ loss }) => loss !== 'too-weak' && loss !== undefined)?.loss ?? 'too-weak';
      return receptions.length > 0 ? { receptions } : { receptions, loss: worst };
    },
    transmit(gatewayId, start, end) {
      const kept = (sendings.get(gatewayId) ?? []).filter(
        (one) => one.end >= start - sendingMemoryMs,
      );
      sendings.set(gatewayId, [...kept, { start, end }]);
    },
  };
}

/** Each path fades by itself. */
function stepOf({ gateway }: Path, { key, step }: Frame) {
  return { key: key ^ Number.parseInt(gateway.id.slice(-7), 16), step };
}

function signalAt(path: Path, frame: Frame) {
  const { key, step } = stepOf(path, frame);
  return fadedSignal(path.rssi, key, step);
}

function isOverlapping(one: Sending, other: Sending): boolean {
  return one.start < other.end && one.end > other.start;
}

function isHeard(frame: Frame, { gateway }: Path): boolean {
  const path = frame.paths.find((one) => one.gateway.id === gateway.id);
  return path !== undefined && isDecodable(signalAt(path, frame), frame.spreadingFactor);
}

interface Listening {
  readonly gatewayId: string;
  readonly frame: Frame;
  readonly signal: { readonly rssi: number };
}

function isDrownedBy(other: Frame, { gatewayId, frame, signal }: Listening): boolean {
  const { channel, spreadingFactor } = frame;
  if (other.channel !== channel || other.spreadingFactor !== spreadingFactor) return false;
  const spared = (preambleSymbols - preambleNeeded) * symbolMs(spreadingFactor);
  if (other.end <= frame.start + spared) return false;
  const path = other.paths.find(({ gateway }) => gateway.id === gatewayId);
  return path !== undefined && signal.rssi - signalAt(path, other).rssi < captureDb;
}
