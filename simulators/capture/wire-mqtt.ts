/** Replays to an MQTT broker with QoS 1: a connection for each account, opened when it is needed. */
import { connectPublisher, type Publisher } from '../mqtt-publisher.ts';
import type { ReplayAccount, ReplayAccounts, Wire } from './wire.ts';

export interface MqttWireOptions {
  /** `mqtt://host:port` or `mqtts://host:port`. */
  readonly url: string;
  readonly accounts: ReplayAccounts;
  /** In front of every client id, so that two replays do not push each other out. */
  readonly clientId: string;
}

/** More than that many accounts are no replay of one gateway's senders. */
const connectionsMax = 10_000;

export function createMqttWire({ url, accounts, clientId }: MqttWireOptions): Wire {
  const publishers = new Map<string, Promise<Publisher>>();
  const publisherOf = (sender: string | undefined): Promise<Publisher> => {
    const account = accounts.of(sender);
    const name = account?.username ?? '';
    const known = publishers.get(name);
    if (known !== undefined) return known;
    if (publishers.size >= connectionsMax) throw new Error(`more than ${connectionsMax} accounts`);
    const id = name === '' ? clientId : `${clientId}-${name}`;
    const opened = connectPublisher({ url, clientId: id, account: loginOf(account) });
    publishers.set(name, opened);
    return opened;
  };
  return {
    async send({ route, body, sender }, settled) {
      const publisher = await publisherOf(sender);
      await publisher.publish(route, body, settled);
    },
    stop() {
      for (const publisher of publishers.values()) void publisher.then((one) => one.stop(), ignore);
    },
    async close(graceMs) {
      await Promise.allSettled(
        [...publishers.values()].map(async (publisher) => (await publisher).close(graceMs)),
      );
    },
  };
}

function loginOf(account: ReplayAccount | undefined) {
  const { username, password } = account ?? {};
  return username === undefined ? undefined : { username, password: password ?? '' };
}

/** A connection that never was has nothing to stop. */
function ignore(): void {}
