/** The accounts of the CoAP tests, and a message with its answer. */
import type { CoapOptions } from '../../../gateway/transports/coap/coap.ts';
import type { UdpClient } from '../udp-wire.ts';
import { type RequestPacket, requestPacket } from './wire.ts';

export const pump = 'a-test-token-of-pump-7';
export const platform = 'a-test-token-of-a-platform';

export const defaults: CoapOptions = {
  host: '127.0.0.1',
  port: 0,
  allowUnencryptedPublic: false,
  accounts: [
    {
      name: 'pump',
      token: pump,
      deviceId: 'pump-7',
      publish: [],
      vouches: 'credential',
    },
    {
      name: 'platform',
      token: platform,
      adapter: 'modem-json',
      publish: ['up/#', 'senml/+'],
      vouches: 'network-server',
    },
  ],
  bodyBytesMax: 2_000,
  blockwiseMax: 10,
  blockwiseBytesMax: 10_000,
  messagesPerSecondMax: 100,
  inFlightMax: 3,
  stopTimeoutMs: 5_000,
};

export const up: RequestPacket = {
  ...{ path: 'up/pump-7', query: [`token=${pump}`], payload: '{"a":1}' },
};

/** Sends one message and gives its answer as hex, without the message id. */
export async function askBy(client: UdpClient, packet: RequestPacket): Promise<string> {
  const count = client.received.length;
  client.send(requestPacket({ messageId: 0x100 + count, ...packet }));
  const answer = (await client.answers(count + 1))[count] ?? '';
  return answer.slice(0, 4) + answer.slice(8);
}

/** An acknowledgement with this code, the token cafe, and these options. */
export const acked = (code: string, options = '') => `62${code}cafe${options}`;
