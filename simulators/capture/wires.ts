/** Which wire a message goes through: the one of its own kind that an operator named with `--to`. */
import { NotSent } from '../not-sent.ts';
import type { CapturedMessage, Via } from './message.ts';
import type { ReplayAccounts, Wire } from './wire.ts';
import { openCoapWire } from './wire-coap.ts';
import { createHttpWire } from './wire-http.ts';
import { createMqttWire } from './wire-mqtt.ts';
import { openUdpWire } from './wire-udp.ts';

export interface ReplayTally {
  readonly sent: number;
  readonly acknowledged: number;
  readonly failed: number;
  /** Of a kind for which no `--to` was given. */
  readonly unaddressed: number;
  /** The first few reasons. */
  readonly reasons: readonly string[];
}

export interface Wires {
  /**
   * Resolves once the message is on its way. `settled` is called once: without an error when it is
   * acknowledged, with one when it never will be.
   */
  send(message: CapturedMessage, settled?: (error?: Error) => void): Promise<void>;
  readonly tally: ReplayTally;
  stop(): void;
  close(graceMs: number): Promise<void>;
}

const reasonsMax = 5;
const kinds = ['mqtt://', 'mqtts://', 'http://', 'https://', 'coap://', 'udp://'] as const;

export interface WiresOptions {
  /** `mqtt://…`, `mqtts://…`, `http://…`, `https://…`, `coap://…`, `udp://…`; one of a kind. */
  readonly targets: readonly string[];
  readonly accounts: ReplayAccounts;
  readonly clientId: string;
}

/** A target is none, or one too many; the sentence is for whoever has typed it. */
export class TargetRefused extends Error {
  readonly code = 'TARGET_REFUSED';
}

/** Rejects with a TargetRefused when a target is not one. */
export async function openWires({ targets, ...options }: WiresOptions): Promise<Wires> {
  const wires = new Map<Via, Wire>();
  for (const target of targets) {
    const [via, wire] = await openWire(target, options);
    if (wires.has(via)) throw new TargetRefused(`two targets for ${via}: one is enough`);
    wires.set(via, wire);
  }
  const reasons: string[] = [];
  const tally = { sent: 0, acknowledged: 0, failed: 0, unaddressed: 0, reasons };
  const order = createDeviceOrder();
  const count = (error?: Error): void => {
    if (error === undefined) tally.acknowledged += 1;
    else if (error instanceof NotSent) tally.sent -= 1;
    else {
      tally.failed += 1;
      if (reasons.length < reasonsMax) reasons.push(error.message);
    }
  };
  return {
    tally,
    async send(message, settled) {
      const wire = wires.get(message.via);
      if (wire === undefined) {
        tally.unaddressed += 1;
        settled?.(new Error(`no target for ${message.via}`));
        return;
      }
      const leave = await order.enter(message);
      tally.sent += 1;
      await wire.send(message, (error) => {
        leave();
        count(error);
        settled?.(error);
      });
    },
    stop() {
      for (const wire of wires.values()) wire.stop();
    },
    async close(graceMs) {
      await Promise.all([...wires.values()].map((wire) => wire.close(graceMs)));
    },
  };
}

interface UnderWay {
  readonly lane: string;
  count: number;
  readonly isEmpty: Promise<void>;
  readonly empty: () => void;
}

/**
 * One connection keeps its own order, but two have none among each other; a device whose counter
 * went back would be taken for a replay. So what one device said by another way waits until the
 * earlier message is acknowledged.
 */
function createDeviceOrder() {
  const underWay = new Map<string, UnderWay>();
  return {
    /** Resolves when it may be sent; to be called back once it is settled. */
    async enter({ via, sender, device }: CapturedMessage): Promise<() => void> {
      if (device === undefined) return () => undefined;
      const lane = `${via} ${sender}`;
      let before = underWay.get(device);
      while (before !== undefined && before.lane !== lane) {
        await before.isEmpty;
        before = underWay.get(device);
      }
      const own = before ?? emptyLane(lane);
      underWay.set(device, own);
      own.count += 1;
      return () => {
        own.count -= 1;
        if (own.count > 0) return;
        underWay.delete(device);
        own.empty();
      };
    },
  };
}

function emptyLane(lane: string): UnderWay {
  let empty = (): void => undefined;
  const isEmpty = new Promise<void>((resolve) => {
    empty = resolve;
  });
  return { lane, count: 0, isEmpty, empty };
}

async function openWire(
  target: string,
  { accounts, clientId }: Omit<WiresOptions, 'targets'>,
): Promise<readonly [Via, Wire]> {
  const url = URL.canParse(target) ? new URL(target) : undefined;
  if (url !== undefined && (url.username !== '' || url.password !== '')) {
    throw new TargetRefused('a target holds no name or password: give them with --accounts');
  }
  switch (url?.protocol) {
    case 'mqtt:':
    case 'mqtts:':
      return ['mqtt', createMqttWire({ url: target, accounts, clientId })];
    case 'http:':
    case 'https:':
      return ['http', createHttpWire({ url: target, accounts })];
    case 'coap:':
      return ['coap', await openCoapWire({ url: target, accounts })];
    case 'udp:':
      return ['udp', await openUdpWire({ url: target })];
    default:
      throw new TargetRefused(`${target} begins with none of ${kinds.join(', ')}`);
  }
}
