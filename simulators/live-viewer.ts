/** A viewer of the live stream, like a dashboard's page, that counts the readings it is shown. */
import WebSocket from 'ws';

const subprotocol = 'fieldgate.live.v1';
const reconnectMs = 1_000;
const rateMsUsual = 250;
const messageBytesMax = 16_000_000;

export interface LiveViewer {
  /** Readings that came as changes, since the start. */
  readonly shown: () => number;
  /** Series known on the present connection. */
  readonly series: () => number;
  /** What the gateway or the connection refused, in words. */
  readonly faults: readonly string[];
  close(): void;
}

const faultsMax = 20;

export interface LiveViewerOptions {
  /** Between deltas that it asks for; the stream gives 100 at the fastest. */
  readonly rateMs?: number;
  /** Hears every message as it came. */
  readonly onText?: (text: string) => void;
}

/** Connects again by itself until it is closed. */
export function createLiveViewer(
  url: string,
  token: string,
  { rateMs = rateMsUsual, onText }: LiveViewerOptions = {},
): LiveViewer {
  const faults: string[] = [];
  const series = new Set<number>();
  let shown = 0;
  let isClosed = false;
  let socket: WebSocket;
  const connect = (): void => {
    socket = new WebSocket(url, subprotocol, { maxPayload: messageBytesMax });
    socket.on('open', () => {
      // The numbers of series belong to one connection.
      series.clear();
      socket.send(JSON.stringify({ t: 'auth', token }));
      socket.send(JSON.stringify({ t: 'sub', id: 1, view: 'latest', rate: rateMs }));
    });
    socket.on('message', (bytes) => {
      const text = String(bytes);
      onText?.(text);
      const message = readLiveMessage(text);
      if (message.kind === 'changes') shown += message.rows;
      if (message.kind === 'snapshot' || message.kind === 'changes') {
        for (const index of message.series) series.add(index);
      }
      if (message.kind === 'refused') note(message.detail);
    });
    socket.on('error', (error) => note(error.message));
    socket.on('close', () => {
      if (!isClosed) setTimeout(() => isClosed || connect(), reconnectMs).unref();
    });
  };
  const note = (detail: string): void => {
    if (faults.length < faultsMax) faults.push(`live stream: ${detail}`);
  };
  connect();
  return {
    shown: () => shown,
    series: () => series.size,
    faults,
    close() {
      isClosed = true;
      socket.close();
    },
  };
}

export type LiveMessage =
  | { readonly kind: 'snapshot'; readonly series: readonly number[] }
  | { readonly kind: 'changes'; readonly rows: number; readonly series: readonly number[] }
  | { readonly kind: 'refused'; readonly detail: string }
  | { readonly kind: 'other' };

/** What a message of the stream means to a viewer that only counts. */
export function readLiveMessage(text: string): LiveMessage {
  const message = parseObject(text);
  switch (message['t']) {
    case 'snap':
      return { kind: 'snapshot', series: seriesOf(message['series']) };
    case 'd': {
      const rows = Array.isArray(message['rows']) ? message['rows'].length : 0;
      return { kind: 'changes', rows, series: seriesOf(message['series']) };
    }
    case 'err':
      return { kind: 'refused', detail: `${message['code']}: ${message['detail']}` };
    default:
      return { kind: 'other' };
  }
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function seriesOf(entries: unknown): number[] {
  if (!Array.isArray(entries)) return [];
  return entries.flatMap((entry: unknown) =>
    Array.isArray(entry) && typeof entry[0] === 'number' ? [entry[0]] : [],
  );
}
