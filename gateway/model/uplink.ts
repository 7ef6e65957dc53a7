/** An uplink at each stage of its way: as parsed from the sender's format, then as proven. */
import type { VouchedBy } from './inbound.ts';
import type { WrappedKey } from './wrapped-key.ts';

/** How one LoRa gateway heard a frame. */
export interface RxInfo {
  readonly gatewayId: string;
  /** dBm */
  readonly rssi?: number;
  /** dB */
  readonly snr?: number;
  /** Epoch milliseconds by this gateway's clock. */
  readonly rxTime?: number;
  readonly location?: Location;
}

/** WGS 84, degrees and metres. */
export interface Location {
  readonly latitude: number;
  readonly longitude: number;
  readonly altitude?: number;
}

/** LoRa transmission parameters of the uplink. */
export interface TxInfo {
  /** Hz */
  readonly frequency?: number;
  /** Hz */
  readonly bandwidth?: number;
  readonly spreadingFactor?: number;
}

/** The radio state a 5G, LTE-M or NB-IoT modem reports; a placeholder for "unknown" is left out. */
export interface Radio {
  readonly rat?: string;
  /** dBm */
  readonly rsrp?: number;
  /** dB */
  readonly rsrq?: number;
  /** dB */
  readonly sinr?: number;
  /** dBm */
  readonly rssi?: number;
  readonly band?: number;
  readonly arfcn?: number;
  readonly pci?: number;
  readonly tac?: number;
  readonly cellId?: number;
  /** Text, because "01" is not 1. */
  readonly mcc?: string;
  readonly mnc?: string;
}

/** A named value as the sender gave it, before it is mapped to a quantity. */
export interface Measurement {
  readonly name: string;
  readonly value: number | string | boolean;
  /** The sender's own unit (a SenML unit, say), when it names one. */
  readonly unit?: string;
  /** Epoch milliseconds of the phenomenon, when the sample has a time of its own. */
  readonly time?: number;
  readonly channel?: string;
}

interface UplinkBase {
  /** The adapter that parsed it, by its registry name. */
  readonly adapter: string;
  /** Epoch milliseconds at which the network received it, by the network's clock. */
  readonly rxTime?: number;
  readonly rxInfo: readonly RxInfo[];
  readonly txInfo?: TxInfo;
}

/** A raw LoRaWAN frame from a gateway: nobody has vouched for it yet. */
export interface FrameUplink extends UplinkBase {
  readonly kind: 'frame';
  readonly phyPayload: Buffer;
}

/** An uplink whose sender has already opened the frame, or that never was one. */
export interface PayloadUplink extends UplinkBase {
  readonly kind: 'payload';
  readonly deviceId: string;
  readonly devAddr?: string;
  readonly fPort?: number;
  /** The 32-bit uplink frame counter. */
  readonly fCnt?: number;
  readonly confirmed?: boolean;
  /** The application payload in clear; see `encrypted`. */
  readonly frmPayload?: Buffer;
  /**
   * The payload is still under an AppSKey that the network server does not have: never decode it.
   */
  readonly encrypted?: boolean;
  /** Of an encrypted payload, where it comes along. It opens the payload and is never kept. */
  readonly wrappedAppSKey?: WrappedKey;
  /** What the sender's own codec made of the payload. */
  readonly object?: Readonly<Record<string, unknown>>;
  readonly measurements?: readonly Measurement[];
  readonly radio?: Radio;
  /** The sender's own identifier for this uplink, equal in every redelivery of it. */
  readonly messageKey?: string;
  /** The network server made this uplink up (a console test): never telemetry. */
  readonly simulated?: boolean;
}

export type Uplink = FrameUplink | PayloadUplink;

/** An uplink somebody vouches for, with its frame, if there was one, opened. */
export interface VerifiedUplink extends Omit<PayloadUplink, 'wrappedAppSKey'> {
  readonly vouchedBy: VouchedBy;
  /** Present when the gateway saw the frame itself; two copies of a frame have equal bytes. */
  readonly phyPayload?: Buffer;
  /** Which of the device's joined sessions proved it; see Session.id. */
  readonly session?: string;
  /** The frame's MAC commands in clear, where the frame has them encrypted. */
  readonly fOpts?: Buffer;
  /** The counter before, where the device has begun to count anew with this frame. */
  readonly counterBefore?: number;
}

/** Something a network server, gateway or modem tells about itself: kept, but not telemetry. */
export interface SourceEvent {
  readonly kind: 'event';
  readonly adapter: string;
  /** The sender's word for it: `join`, `status`, `ack`, `txack`, `log`, `stats`, `conn` … */
  readonly type: string;
  readonly deviceId?: string;
  readonly gatewayId?: string;
  readonly time?: number;
  /** Set by ingest, like that of an uplink. */
  readonly vouchedBy?: VouchedBy;
  /** Numbers in it that are worth a reading: battery level, link margin. */
  readonly measurements?: readonly Measurement[];
  /** The frame that it tells of: a join-request, or a downlink on its way to the gateway. */
  readonly phyPayload?: Buffer;
}
