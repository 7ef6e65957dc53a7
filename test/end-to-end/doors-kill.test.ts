/**
 * The doors beside MQTT of a compiled gateway that is killed again and again: nothing that their
 * senders were told is safe is lost.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { UplinkJson } from '../../dashboard/protocol-uplinks.ts';
import { type GatewayProcess, startGatewayProcess } from '../setup/gateway-process.ts';
import { requestPacket } from '../transports/coap/wire.ts';
import { openUdpClient } from '../transports/udp-wire.ts';
import {
  config,
  frameOf,
  portOf,
  postTo,
  pushOf,
  serverMessage,
  serverToken,
  temperature,
} from './field-senders.ts';
import { uplinksAfter } from './gateway-api.ts';

const kills = 6;
const aliveMs = 700;
/** Each start takes seconds where many tests run at once. */
const timeoutMs = 120_000;

describe('Doors of a gateway that is killed six times under load', () => {
  const acknowledged = { udp: new Set<number>(), http: new Set<number>(), coap: new Set<number>() };
  let gateway: GatewayProcess;
  let entries: UplinkJson[];
  let isFinishing = false;

  /**
   * Sends each message until it is acknowledged, as packet forwarders, servers and modems should.
   */
  async function sendAll(done: Set<number>, send: (id: number) => Promise<boolean>): Promise<void> {
    for (let id = 1; !isFinishing || !done.has(id - 1); id += 1) {
      while (!(await send(id).catch(() => false))) await sleep(20);
      done.add(id);
      await sleep(2);
    }
  }

  /** One datagram, and whether an answer of this form comes within the time a modem waits. */
  async function exchange(door: string, datagram: Buffer, answer: string): Promise<boolean> {
    const client = openUdpClient(portOf(gateway, door));
    client.send(datagram);
    const answered = client.answers(1).then(([hex]) => hex?.startsWith(answer) === true);
    const isAnswered = await Promise.race([answered, sleep(250, false)]);
    client.close();
    return isAnswered;
  }

  beforeAll(async () => {
    gateway = await startGatewayProcess({ config });
    const { directory } = gateway;
    const running = [
      sendAll(acknowledged.udp, (id) =>
        exchange('udp', pushOf(id & 0xffff, frameOf(id, temperature(id))), '02'),
      ),
      sendAll(acknowledged.http, async (id) => {
        return (await postTo(gateway, serverMessage(id, '02f1e1d5000000c1'))) === 204;
      }),
      sendAll(acknowledged.coap, (id) => {
        const query = [`token=${serverToken}`];
        const payload = serverMessage(id, '02f1e1d5000000c2');
        const packet = { path: 'ingest/tts-coap', query, payload, messageId: id & 0xffff };
        return exchange('coap', requestPacket(packet), '6244');
      }),
    ];
    for (let kill = 0; kill < kills; kill += 1) {
      await sleep(aliveMs);
      await gateway.kill('SIGKILL');
      gateway = await startGatewayProcess({ config, directory });
    }
    isFinishing = true;
    await Promise.all(running);
    entries = await uplinksAfter(gateway, 0);
  }, timeoutMs);

  afterAll(() => gateway.stop());

  it.each(['udp', 'http', 'coap'] as const)('lose nothing acknowledged by %s', (transport) => {
    const own = entries.filter((entry) => entry.transport === transport);
    expect(new Set(own.map(({ outcome }) => outcome))).toEqual(new Set(['accepted']));
    const written = own.map(({ fCnt }) => fCnt);
    expect(written).toEqual([...acknowledged[transport]]);
    expect(written.length).toBeGreaterThan(kills);
  });
});
