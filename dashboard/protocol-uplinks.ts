/** JSON of the HTTP API: lines of the ledger. Times are RFC 3339. */
import type { LocationJson, OutcomeWord, VouchedByWord } from './protocol.ts';

interface MeasurementJson {
  name: string;
  value: number | string | boolean;
  unit?: string;
  time?: string;
  channel?: string;
}

/** How one LoRa gateway heard it: dBm, dB, and where the gateway stands. */
interface ReceptionJson {
  gatewayId: string;
  rssi?: number;
  snr?: number;
  rxTime?: string;
  location?: LocationJson;
}

/** One of `GET /api/v1/uplinks`: a line of the ledger. */
export interface UplinkJson {
  seq: number;
  outcome: OutcomeWord;
  receivedAt: string;
  transport: string;
  route: string;
  credential: string;
  adapter?: string;
  device?: string;
  devAddr?: string;
  fPort?: number;
  fCnt?: number;
  confirmed?: boolean;
  /** The counter before, where the device began to count anew with this frame. */
  counterBefore?: number;
  /** Hex. */
  frmPayload?: string;
  /** Hex; present for frames that the gateway verified itself, and for downlinks it heard. */
  phyPayload?: string;
  frame?: FrameJson;
  object?: Record<string, unknown>;
  /** What the sender measured, in its own names and units. */
  measurements?: MeasurementJson[];
  rxTime?: string;
  /** Hz, Hz, and 5 to 12. */
  txInfo?: { frequency?: number; bandwidth?: number; spreadingFactor?: number };
  rxInfo?: ReceptionJson[];
  radio?: Record<string, string | number>;
  vouchedBy?: VouchedByWord;
  /** Why it is quarantined, replayed, or could not be decoded. */
  fault?: { code: string; detail: string };
  copyOf?: number;
  /** The event's own word, where the outcome is `event`. */
  event?: string;
  /** The inbound bytes, base64; only when one entry is asked for. */
  body?: string;
}

/** A LoRaWAN frame's own fields; EUIs, DevAddr and MIC in hex. */
export interface FrameJson {
  mType: string;
  size: number;
  devAddr?: string;
  fCtrl?: { adr: boolean; adrAckReq: boolean; ack: boolean; fPending: boolean };
  fCnt16?: number;
  fPort?: number;
  payloadSize?: number;
  macCommands?: {
    name: string;
    cid: number;
    fields: Record<string, number | boolean | string>;
  }[];
  joinEui?: string;
  devEui?: string;
  devNonce?: number;
  rejoinType?: number;
  rjCount?: number;
  netId?: string;
  mic?: string;
}

export interface UplinksJson {
  items: UplinkJson[];
  nextCursor?: string;
}
