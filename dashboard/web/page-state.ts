/**
 * Everything the page knows, as signals: who is signed in, what the gateway listed, the last
 * values, the state of the stream, and the time by the server's clock. Views read it; the actions
 * here are the only ones that change it.
 */
import { batch, computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { DeviceJson } from '../protocol.ts';
import type { Api } from './api.ts';
import { type Board, createBoard } from './board.ts';
import { type Counts, countDevices, isSimulated } from './device-order.ts';
import type { Language } from './language.ts';
import type { LiveState } from './live-client.ts';
import type { LiveReading } from './live-subscription.ts';
import type { QuantityJson } from './quantity.ts';

export type Session = 'unknown' | 'signed-in' | 'signed-out';

export interface PageState {
  readonly api: Api;
  readonly board: Board;
  readonly language: Signal<Language>;
  readonly session: Signal<Session>;
  /** Why the lists could not be loaded. */
  readonly trouble: Signal<string | undefined>;
  /** All devices, registered or only heard. */
  readonly devices: ReadonlySignal<readonly DeviceJson[]>;
  readonly deviceById: ReadonlySignal<ReadonlyMap<string, DeviceJson>>;
  readonly isLoaded: Signal<boolean>;
  /** The lists are to be loaded again: they failed, or a device is heard that they lack. */
  readonly isOutdated: ReadonlySignal<boolean>;
  readonly quantities: Signal<ReadonlyMap<string, QuantityJson>>;
  readonly live: Signal<LiveState>;
  /** Server time at which the page first heard that the store is behind; undefined when it is not. */
  readonly storeLateSince: ReadonlySignal<number | undefined>;
  /** Milliseconds between deltas when the gateway lowered the rate. */
  readonly slowMs: Signal<number | undefined>;
  /** Server time at which the reader paused. */
  readonly pausedAt: Signal<number | undefined>;
  /** Server time, moving once a second; it stands still while paused. */
  readonly now: Signal<number>;
  /** Server time of the last readings taken in. */
  readonly updatedAt: Signal<number | undefined>;
  readonly counts: ReadonlySignal<Counts>;
  readonly isSimulated: ReadonlySignal<boolean>;
  load(): Promise<void>;
  serverNow(): number;
  tick(): void;
  setClock(serverNow: number): void;
  takeSnapshot(readings: readonly LiveReading[]): void;
  takeDelta(readings: readonly LiveReading[]): void;
  takeSources(
    sources: Readonly<Record<string, string>>,
    lateSince: Readonly<Record<string, number>>,
  ): void;
}

/** A device that sent readings but is in no list: shown, and marked as unregistered. */
function heardDevice(id: string): DeviceJson {
  const isDevEui = /^[0-9a-f]{16}$/iu.test(id);
  return { id, kind: isDevEui ? 'lorawan' : 'cellular', registered: false };
}

/** While the stream is down the counts stand still: nobody can know who reports. */
function createCounts(state: {
  devices: ReadonlySignal<readonly DeviceJson[]>;
  live: Signal<LiveState>;
  now: Signal<number>;
  board: Board;
}): ReadonlySignal<Counts> {
  let last: Counts | undefined;
  return computed(() => {
    const { phase } = state.live.value;
    const devices = state.devices.value;
    const now = state.now.value;
    state.board.version.value;
    if (last !== undefined && (phase === 'down' || phase === 'refused')) return last;
    last = countDevices(devices.map((device) => state.board.freshness(device.id, now)));
    return last;
  });
}

/** The registered devices, then those that were only heard. */
function createDevices(listed: Signal<readonly DeviceJson[]>, board: Board) {
  return computed(() => {
    const known = new Set(listed.value.map((device) => device.id));
    const heard = board.ids.value.filter((id) => !known.has(id));
    return [...listed.value, ...heard.map(heardDevice)];
  });
}

export function createPageState(options: {
  api: Api;
  language: Language;
  localNow: () => number;
}): PageState {
  const { api, localNow } = options;
  const board = createBoard();
  const listed = signal<readonly DeviceJson[]>([]);
  const live = signal<LiveState>({ phase: 'connecting' });
  const clockOffsetMs = signal(0);
  const now = signal(localNow());
  const pausedAt = signal<number | undefined>(undefined);
  const session = signal<Session>('unknown');
  const trouble = signal<string | undefined>(undefined);
  const quantities = signal<ReadonlyMap<string, QuantityJson>>(new Map());
  const isLoaded = signal(false);
  const updatedAt = signal<number | undefined>(undefined);
  const storeLateSince = signal<number | undefined>(undefined);
  const devices = createDevices(listed, board);
  const serverNow = () => localNow() + clockOffsetMs.peek();

  async function load(): Promise<void> {
    const [devicesAnswer, quantitiesAnswer] = await Promise.all([api.devices(), api.quantities()]);
    const failed = [devicesAnswer, quantitiesAnswer].find((answer) => !answer.ok);
    batch(() => {
      if (failed !== undefined && !failed.ok) {
        if (failed.reason === 'signed-out') session.value = 'signed-out';
        else trouble.value = failed.detail;
      }
      if (devicesAnswer.ok) {
        listed.value = devicesAnswer.value;
        session.value = 'signed-in';
        isLoaded.value = true;
      }
      if (quantitiesAnswer.ok) {
        const items = quantitiesAnswer.value.map((item) => [item.quantity, item] as const);
        quantities.value = new Map(items);
      }
      if (failed === undefined) trouble.value = undefined;
    });
  }

  function take(readings: readonly LiveReading[], change: Board['merge']): void {
    batch(() => {
      change(readings);
      updatedAt.value = serverNow();
      now.value = serverNow();
    });
  }

  return {
    api,
    board,
    language: signal(options.language),
    session,
    trouble,
    devices,
    deviceById: computed(() => new Map(devices.value.map((device) => [device.id, device]))),
    isLoaded,
    isOutdated: computed(
      () => trouble.value !== undefined || devices.value.length > listed.value.length,
    ),
    quantities,
    live,
    storeLateSince,
    slowMs: signal(undefined),
    pausedAt,
    now,
    updatedAt,
    counts: createCounts({ devices, live, now, board }),
    isSimulated: computed(() => isSimulated(devices.value)),
    load,
    serverNow,
    tick() {
      if (pausedAt.peek() === undefined) now.value = serverNow();
    },
    setClock(time) {
      clockOffsetMs.value = time - localNow();
    },
    takeSnapshot: (readings) => take(readings, board.replace),
    takeDelta: (readings) => take(readings, board.merge),
    takeSources({ store }, { store: since = storeLateSince.peek() ?? serverNow() }) {
      storeLateSince.value = store === 'late' ? since : undefined;
    },
  };
}
