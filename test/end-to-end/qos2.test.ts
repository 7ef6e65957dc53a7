/**
 * QoS 2 into the ledger, exactly once [MQTT-4.3.3]: the connection is lost at each step, the
 * gateway killed at each step, and the sender goes on from what it knows, as the protocol tells it
 * to.
 */
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type GatewayProcess, startGatewayProcess } from '../setup/gateway-process.ts';
import {
  connectPacket,
  openRaw,
  packet,
  publishPacket,
  type RawClient,
} from '../transports/mqtt/wire.ts';
import { modem, modemId, mqttClients } from './accounts.ts';
import { uplinksAfter } from './gateway-api.ts';

const config = { mqtt: { clients: mqttClients } };

let gateway: GatewayProcess;
let client: RawClient;
let taken = 0;

const pubrec = (id: number) => Buffer.from([0x50, 2, id >> 8, id & 0xff]).toString('hex');
const pubcomp = (id: number) => Buffer.from([0x70, 2, id >> 8, id & 0xff]).toString('hex');
const pubrel = (id: number) => packet(0x62, Buffer.from([id >> 8, id & 0xff]));

/** The same client comes again, with what it remembers. */
async function connect(): Promise<void> {
  client = await openRaw(gateway.mqttPort);
  client.send(connectPacket({ ...modem, clientId: 'exactly', clean: false }));
  await client.bytes(4);
  taken = 8;
}

/** The next answers, in hex. */
async function answers(count: number): Promise<string> {
  taken += 8 * count;
  return (await client.bytes(taken / 2)).slice(taken - 8 * count);
}

interface Sent {
  readonly id: number;
  readonly body: string;
  readonly dup?: boolean;
}

function publish({ id, body, dup = false }: Sent): void {
  client.send(publishPacket({ topic: `up/${modemId}`, payload: body, qos: 2, id, dup }));
}

async function connectionLost(): Promise<void> {
  client.socket.resetAndDestroy();
  await client.closed();
}

async function gatewayKilled(): Promise<void> {
  const { directory } = gateway;
  await gateway.kill('SIGKILL');
  await client.closed();
  gateway = await startGatewayProcess({ config, directory });
}

/** How often each body is in the ledger since then. */
async function written(since: number): Promise<number> {
  return (await uplinksAfter(gateway, since, 'outcome=accepted')).length;
}

const head = () => gateway.metric('fieldgate_ledger_seq');

/** Nothing but its sender and identifiers tells the first kind apart; the second has its time. */
const bodies: readonly [string, (value: number) => string][] = [
  ['without a time', (value) => JSON.stringify({ illuminance: value })],
  [
    'with a time',
    (value) => JSON.stringify({ ts: 1_767_225_600_000 + value, values: { illuminance: value } }),
  ],
];

const losses: readonly [string, () => Promise<void>][] = [
  ['the connection is lost', connectionLost],
  ['the gateway is killed', gatewayKilled],
];

describe('A QoS 2 message', () => {
  let value = 0;
  /** Its own value and its own packet identifier. */
  const nextValue = () => {
    value += 1;
    return value;
  };
  beforeAll(async () => {
    gateway = await startGatewayProcess({ config });
    await connect();
  }, 60_000);
  afterAll(async () => {
    client.socket.destroy();
    await gateway.kill('SIGTERM');
    await rm(gateway.directory, { recursive: true, force: true });
  });

  describe.each(losses)('when %s', (_loss, lose) => {
    describe.each(bodies)('%s', (_kind, bodyOf) => {
      it('before its PUBREC is read, is sent again and written once', async () => {
        const since = await head();
        const message = { id: nextValue(), body: bodyOf(value) };
        publish(message);
        expect(await answers(1)).toBe(pubrec(message.id));
        await lose();
        await connect();
        publish({ ...message, dup: true });
        expect(await answers(1)).toBe(pubrec(message.id));
        client.send(pubrel(message.id));
        expect(await answers(1)).toBe(pubcomp(message.id));
        expect(await written(since)).toBe(1);
      }, 60_000);

      it('before its PUBREL is sent, is released afterwards', async () => {
        const since = await head();
        const message = { id: nextValue(), body: bodyOf(value) };
        publish(message);
        expect(await answers(1)).toBe(pubrec(message.id));
        await lose();
        await connect();
        client.send(pubrel(message.id));
        expect(await answers(1)).toBe(pubcomp(message.id));
        expect(await written(since)).toBe(1);
      }, 60_000);

      it('before its PUBCOMP is read, is released again, and its identifier is free', async () => {
        const since = await head();
        const message = { id: nextValue(), body: bodyOf(value) };
        publish(message);
        await answers(1);
        client.send(pubrel(message.id));
        expect(await answers(1)).toBe(pubcomp(message.id));
        await lose();
        await connect();
        client.send(pubrel(message.id));
        expect(await answers(1)).toBe(pubcomp(message.id));
        // Another message under the same identifier is another message.
        publish({ id: message.id, body: bodyOf(nextValue()) });
        expect(await answers(1)).toBe(pubrec(message.id));
        client.send(pubrel(message.id));
        expect(await answers(1)).toBe(pubcomp(message.id));
        expect(await written(since)).toBe(2);
      }, 60_000);

      it('before it came at all, is written when it is sent again', async () => {
        const since = await head();
        await lose();
        await connect();
        const message = { id: nextValue(), body: bodyOf(value), dup: true };
        publish(message);
        expect(await answers(1)).toBe(pubrec(message.id));
        client.send(pubrel(message.id));
        await answers(1);
        expect(await written(since)).toBe(1);
      }, 60_000);
    });
  });

  it.each(bodies)('%s that is repeated before PUBREL is written once', async (_kind, bodyOf) => {
    const since = await head();
    const message = { id: nextValue(), body: bodyOf(value) };
    publish(message);
    publish({ ...message, dup: true });
    publish({ ...message, dup: true });
    expect(await answers(3)).toBe(pubrec(message.id).repeat(3));
    client.send(pubrel(message.id), pubrel(message.id));
    expect(await answers(2)).toBe(pubcomp(message.id).repeat(2));
    expect(await written(since)).toBe(1);
  });

  it('that says the same as the one before is written, too', async () => {
    const since = await head();
    const body = JSON.stringify({ illuminance: nextValue() });
    for (let round = 0; round < 3; round += 1) {
      const message = { id: nextValue(), body };
      publish(message);
      expect(await answers(1)).toBe(pubrec(message.id));
      client.send(pubrel(message.id));
      expect(await answers(1)).toBe(pubcomp(message.id));
    }
    expect(await written(since)).toBe(3);
  });

  it('that never came and says the same as the one before is written when sent again', async () => {
    const since = await head();
    const body = JSON.stringify({ illuminance: nextValue() });
    const first = { id: nextValue(), body };
    publish(first);
    await answers(1);
    client.send(pubrel(first.id));
    await answers(1);
    await connectionLost();
    await connect();
    publish({ id: nextValue(), body, dup: true });
    expect(await answers(1)).toBe(pubrec(value));
    client.send(pubrel(value));
    await answers(1);
    expect(await written(since)).toBe(2);
  });
});
