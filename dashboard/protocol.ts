/**
 * What travels between the gateway and a browser: the JSON of the HTTP API and the messages of the
 * live stream. The page imports this file and nothing else of the server; times are RFC 3339 in
 * HTTP answers and epoch milliseconds on the stream.
 */
import type { FieldRuleJson, SeriesLimitsJson } from './protocol-models.ts';

export const liveSubprotocol = 'fieldgate.live.v1';

export type VouchedByWord = 'mic' | 'network-server' | 'tls-client' | 'credential';

/** QARTOD flags: 1 pass, 2 not evaluated, 3 suspect, 4 fail, 9 missing. */
export type QualityFlag = 1 | 2 | 3 | 4 | 9;

export interface ReadingJson {
  device: string;
  quantity: string;
  channel?: string;
  value: number | string;
  /** UCUM; empty for states and pure numbers. */
  unit: string;
  time: string;
  receivedAt: string;
  quality: QualityFlag;
  vouchedBy: VouchedByWord;
  seq: number;
  /** `id@version` of what decoded it, where that was asked for. */
  codec?: string;
}

/** `GET /api/v1/latest` */
export interface LatestJson {
  now: string;
  items: (ReadingJson & { ageSeconds: number })[];
  nextCursor?: string;
}

/** One of `GET /api/v1/codecs`. */
export interface CodecJson {
  id: string;
  title: string;
  origin: 'built-in' | 'upload' | 'directory' | 'import';
  /** Of a built-in codec: its data sheet. */
  source?: string;
  /** The version that devices follow. */
  version?: string;
  versionCount?: number;
  /** The newest first; only when one codec is asked for. */
  versions?: CodecVersionJson[];
  script?: string;
}

export interface CodecVersionJson {
  version: string;
  bytes: number;
  addedAt: string;
  addedBy: string;
  dialect?: 'decodeUplink' | 'Decode' | 'Decoder';
  variables: Record<string, string>;
  mapping?: FieldRuleJson[];
  examples: number;
  isSound: boolean;
}

export interface CodecsJson {
  items: CodecJson[];
  nextCursor?: string;
}

/** `GET /api/v1/devices/{id}/codec-history` */
export interface CodecHistoryJson {
  device: string;
  /** Null where the sender had decoded. */
  items: { fromSeq: number; codec: string | null; version?: string; mapping?: string }[];
}

/** `GET /api/v1/derive`: kept uplinks derived again. */
export type DeriveJson =
  | { state: 'none' }
  | {
      state: 'running' | 'done' | 'stopped';
      from: number;
      to: number;
      /** Everything up to this entry is in the store. */
      at: number;
      entries: number;
      readings: number;
      /** Uplinks that still give no readings. */
      faults: number;
      device?: string;
      codec?: string;
      startedBy: string;
      startedAt: string;
      endedAt?: string;
    };

/** `GET /api/v1/readings`; aggregated answers carry only time and value. */
export interface ReadingsJson {
  items: (Omit<ReadingJson, 'receivedAt'> | { time: string; value: number })[];
  nextCursor?: string;
}

export interface LocationJson {
  latitude: number;
  longitude: number;
  altitude?: number;
}

/** One of `GET /api/v1/devices`. Keys are write-only and never here. */
export interface DeviceJson {
  id: string;
  kind: 'lorawan' | 'cellular';
  /** False for a device that was heard but that nobody has registered. */
  registered: boolean;
  name?: string;
  agency?: string;
  area?: string;
  location?: LocationJson;
  model?: string;
  firmware?: string;
  codec?: string;
  /** What it has from its model, where it does not say it itself. */
  fromModel?: { name: string; codec?: string; macVersion?: string };
  activation?: 'otaa' | 'abp';
  counterReset?: 'never' | 'after-silence' | 'always';
  macVersion?: string;
  joinEui?: string;
  devAddr?: string;
  tags?: Record<string, string>;
  mapping?: FieldRuleJson[];
  limits?: SeriesLimitsJson[];
  /** When the last uplink of this device was received. */
  lastSeen?: string;
}

export interface DevicesJson {
  items: DeviceJson[];
  nextCursor?: string;
}

export type OutcomeWord = 'accepted' | 'copy' | 'redelivery' | 'replayed' | 'quarantined' | 'event';

/** How well a device is heard; RSSI in dBm, SNR and margin in dB. */
export interface LinkJson {
  device: string;
  received: number;
  lost: number;
  lossRatio: number;
  resets: number;
  airtimeSeconds: number;
  gateways: {
    gatewayId: string;
    receptions: number;
    best: number;
    rssi?: number;
    snr?: number;
    lastHeard: string;
  }[];
  trend: {
    from: string;
    to: string;
    received: number;
    lost: number;
    rssi?: number;
    snr?: number;
    spreadingFactor?: number;
    margin?: number;
    airtimeSeconds: number;
  }[];
}

interface CountsJson {
  lastMinute: number;
  lastHour: number;
  total: number;
}

/** One of `GET /api/v1/sources`: an adapter, an account and a transport. */
export interface SourceJson {
  adapter: string;
  /** The account's name; `*` for the devices that have an account each. */
  credential: string;
  transport: string;
  lastSeen: string;
  messages: CountsJson;
  /** Accepted ones: neither copies nor redeliveries. */
  uplinks: CountsJson;
  outcomes: Partial<Record<OutcomeWord, number>>;
  faults: { code: string; count: number; lastSeen: string; detail: string }[];
  /** From the time that the newest message tells to its receipt. */
  messageLagSeconds?: number;
  /** From the receipt of a message to its readings. */
  deriveLagSeconds?: number;
}

/** Where the gateway listens; `name` is the door's, such as `mqtt` or `udp`. */
export interface ListeningJson {
  name: string;
  host: string;
  port: number;
}

/** `GET /api/v1/sources`; counted from `since` on, the one seen last first. */
export interface SourcesJson {
  now: string;
  since: string;
  listening: ListeningJson[];
  items: SourceJson[];
}

/** Every refusal of the HTTP API [RFC 9457]. */
export interface ProblemJson {
  type: string;
  title: string;
  status: number;
  detail?: string;
  errors?: { path: string; detail: string }[];
}

/**
 * The views of the live stream. `latest`: the last value of every series, conflated at the
 * client's rate. `series`: every reading of one device, in order, for its chart.
 */
export type LiveView = 'latest' | 'series';

export interface LiveFilter {
  device?: string;
  area?: string;
}

export type ClientMessage =
  | { t: 'auth'; token: string }
  | {
      t: 'sub';
      /** Chosen by the client; names the subscription in every answer. */
      id: number;
      view: LiveView;
      filter?: LiveFilter;
      /** Milliseconds between deltas, 100 to 60 000. */
      rate?: number;
      resume?: { epoch: string; seq: number };
    }
  | { t: 'unsub'; id: number }
  | { t: 'rate'; id: number; ms: number }
  | { t: 'pause' }
  | { t: 'go' };

/**
 * A series by its number on this connection: device, quantity, channel ('' for none), UCUM unit.
 */
export type SeriesEntry = [
  index: number,
  device: string,
  quantity: string,
  channel: string,
  unit: string,
];

/** One reading of a series; times in epoch milliseconds, `ledgerSeq` its place in the ledger. */
export type LiveRow = [
  seriesIndex: number,
  time: number,
  value: number | string,
  quality: QualityFlag,
  vouchedBy: VouchedByWord,
  receivedAt: number,
  ledgerSeq: number,
];

export type ServerMessage =
  | {
      t: 'hello';
      v: 1;
      now: number;
      /** Changes when the gateway restarts: sequences of another epoch cannot be resumed. */
      epoch: string;
      /**
       * Milliseconds between heartbeats; a client that hears nothing for 2.5 of them reconnects.
       */
      hb: number;
      limits: { subscriptionsMax: number; rateMinMs: number; messageBytesMax: number };
    }
  /** The state to start from, in `of` parts; `seq` is where the deltas begin. */
  | {
      t: 'snap';
      id: number;
      seq: number;
      part: number;
      of: number;
      series: SeriesEntry[];
      rows: LiveRow[];
    }
  /** `from` is the last sequence of the message before, plus one; a hole means: subscribe anew. */
  | { t: 'd'; id: number; from: number; seq: number; series?: SeriesEntry[]; rows: LiveRow[] }
  | {
      t: 'hb';
      now: number;
      seq: number;
      ingestLagMs: number;
      sources: Record<string, 'ok' | 'late'>;
      /** Since when, for those that are late. */
      lateSince?: Record<string, number>;
    }
  | { t: 'resume'; id: number; ok: boolean; why?: string }
  | { t: 'gap'; id: number; from: number; to: number }
  /** The reader is slower than the stream: its rate was lowered to `rate` milliseconds. */
  | { t: 'slow'; id: number; rate: number }
  | { t: 'err'; id?: number; code: LiveErrorCode; detail: string };

export type LiveErrorCode = 'bad-message' | 'auth' | 'forbidden' | 'too-many' | 'unknown-view';

/** WebSocket close codes. A client does not retry after 4400, 4401, 4403 and 4409. */
export const closeCodes = {
  badMessage: 4400,
  auth: 4401,
  forbidden: 4403,
  slow: 4408,
  version: 4409,
  tooMany: 4429,
  draining: 4503,
} as const;
