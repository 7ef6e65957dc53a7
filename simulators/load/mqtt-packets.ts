/**
 * The few MQTT 3.1.1 packets of a load, framed by hand: with thousands of connections on the
 * machine that is measured, a client library would take the processor from what it measures.
 */

export interface Login {
  readonly clientId: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** Seconds within which something must be sent [MQTT-3.1.2-24]. */
export const keepaliveSeconds = 60;

/** With a clean session: what was not acknowledged is sent again as if it were new. */
export function connectPacket({ clientId, username, password }: Login): Buffer {
  const flags = 0x02 | (username === undefined ? 0 : 0x80) | (password === undefined ? 0 : 0x40);
  const header = Buffer.from([0, 4, 77, 81, 84, 84, 4, flags, 0, keepaliveSeconds]);
  const login = [username, password].filter((one) => one !== undefined).map(field);
  const body = Buffer.concat([header, field(clientId), ...login]);
  return Buffer.concat([Buffer.from([0x10, ...remainingLength(body.length)]), body]);
}

/** At QoS 1. */
export function publishPacket(topic: string, body: string, packetId: number): Buffer {
  const topicBytes = Buffer.byteLength(topic);
  const bodyBytes = Buffer.byteLength(body);
  const length = remainingLength(2 + topicBytes + 2 + bodyBytes);
  const packet = Buffer.allocUnsafe(1 + length.length + 4 + topicBytes + bodyBytes);
  let at = packet.writeUInt8(0x32, 0);
  for (const byte of length) at = packet.writeUInt8(byte, at);
  at = packet.writeUInt16BE(topicBytes, at);
  at += packet.write(topic, at);
  at = packet.writeUInt16BE(packetId, at);
  packet.write(body, at);
  return packet;
}

export const pingPacket = Buffer.from([0xc0, 0]);
export const disconnectPacket = Buffer.from([0xe0, 0]);

export type Answer =
  | { readonly kind: 'connack'; readonly code: number }
  | { readonly kind: 'puback'; readonly packetId: number }
  | { readonly kind: 'pingresp' };

/** All answers that a load hears are of two or four bytes; `rest` waits for more. */
export function readAnswers(bytes: Buffer): {
  readonly answers: readonly Answer[];
  readonly rest: Buffer;
} {
  const answers: Answer[] = [];
  let at = 0;
  for (;;) {
    const kind = bytes[at];
    const length = bytes[at + 1];
    if (kind === undefined || length === undefined || at + 2 + length > bytes.length) break;
    answers.push(readAnswer(kind, length, bytes.subarray(at + 2, at + 2 + length)));
    at += 2 + length;
  }
  return { answers, rest: bytes.subarray(at) };
}

function readAnswer(kind: number, length: number, body: Buffer): Answer {
  if (kind === 0x20 && length === 2) return { kind: 'connack', code: body.readUInt8(1) };
  if (kind === 0x40 && length === 2) return { kind: 'puback', packetId: body.readUInt16BE(0) };
  if (kind === 0xd0 && length === 0) return { kind: 'pingresp' };
  throw new RangeError(`the broker answers with a packet of kind ${kind >> 4}`);
}

function field(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

function remainingLength(length: number): number[] {
  const bytes: number[] = [];
  let rest = length;
  do {
    bytes.push((rest % 128) + (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return bytes;
}
