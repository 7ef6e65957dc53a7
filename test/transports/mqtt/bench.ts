/** A broker on free ports with a receiver that the test holds in its hands. */
import type { Inbound } from '../../../gateway/model/inbound.ts';
import type { MqttAuditEntry } from '../../../gateway/transports/mqtt/audit.ts';
import { createMqttBroker, type MqttBroker } from '../../../gateway/transports/mqtt/broker.ts';
import type {
  MqttAccount,
  MqttBrokerOptions,
  TooLargePacket,
} from '../../../gateway/transports/mqtt/options.ts';

export interface MqttBench {
  readonly broker: MqttBroker;
  readonly port: number;
  readonly ports: ReadonlyMap<string, number>;
  /** In the order of receipt. */
  readonly received: Inbound[];
  readonly forbidden: Inbound[];
  readonly tooLarge: TooLargePacket[];
  readonly audited: MqttAuditEntry[];
  readonly logged: { readonly level: string; readonly event: string }[];
  /** Replaces what the receiver does; it resolves at once until then. */
  receiveBy(receive: (inbound: Inbound) => Promise<void>): void;
  /** Resolves once so many messages have been received in all. */
  receipts(count: number): Promise<readonly Inbound[]>;
  /** Sets the clock, which stands still. */
  setNow(ms: number): void;
  now(): number;
  stop(): Promise<void>;
}

export const now = 1_750_000_000_000;

export const modem: MqttAccount = {
  username: 'modem-1',
  password: 'secret one',
  deviceId: 'pump-7',
  vouches: 'credential',
  publish: ['up/{deviceId}', 'state/{deviceId}/#'],
  subscribe: ['down/{deviceId}/#'],
  retain: ['state/{deviceId}/#'],
};

export const city: MqttAccount = {
  username: 'city',
  password: 'secret two',
  vouches: 'network-server',
  publish: ['application/#', 'down/+/+', 'up/+'],
  subscribe: ['up/#', 'state/#', 'application/#', 'out/#'],
};

export interface BenchOptions extends Partial<MqttBrokerOptions> {
  /** Beside the list that the bench keeps. */
  readonly onAudit?: (entry: MqttAuditEntry) => void;
}

export async function startBench({ onAudit, ...options }: BenchOptions = {}): Promise<MqttBench> {
  const received: Inbound[] = [];
  const forbidden: Inbound[] = [];
  const tooLarge: TooLargePacket[] = [];
  const logged: { level: string; event: string }[] = [];
  const audited: MqttAuditEntry[] = [];
  let nowMs = now;
  const waiting = new Set<() => void>();
  let receive: (inbound: Inbound) => Promise<void> = async () => {};
  const log = (level: string) => (_fields: unknown, event: string) => {
    logged.push({ level, event });
  };
  const broker = createMqttBroker(
    { tcp: { host: '127.0.0.1', port: 0 }, clients: [modem, city], ...options },
    (inbound) => {
      received.push(inbound);
      for (const check of waiting) check();
      return receive(inbound);
    },
    {
      onForbidden: async (inbound) => {
        forbidden.push(inbound);
      },
      onTooLarge: (packet) => {
        tooLarge.push(packet);
      },
      log: { info: log('info'), warn: log('warn'), error: log('error') },
      onAudit: (entry) => {
        audited.push(entry);
        onAudit?.(entry);
      },
      clock: { now: () => nowMs },
    },
  );
  const ports = new Map((await broker.start()).map(({ name, port }) => [name, port]));
  return {
    broker,
    port: ports.get('mqtt') ?? 0,
    ports,
    received,
    forbidden,
    tooLarge,
    logged,
    audited,
    setNow: (ms) => {
      nowMs = ms;
    },
    now: () => nowMs,
    receiveBy: (replacement) => {
      receive = replacement;
    },
    receipts: (count) =>
      new Promise((resolve) => {
        const check = () => {
          if (received.length < count) return;
          waiting.delete(check);
          resolve(received);
        };
        waiting.add(check);
        check();
      }),
    stop: () => broker.stop(),
  };
}

/** A promise and what settles it. */
export function createGate(): {
  readonly opened: Promise<void>;
  open(): void;
  fail(error: Error): void;
} {
  let open = (): void => {};
  let fail = (_error: Error): void => {};
  const opened = new Promise<void>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { opened, open: () => open(), fail: (error) => fail(error) };
}
