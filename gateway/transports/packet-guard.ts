/**
 * Bounds what a connection may make the gateway hold. The parser behind it buffers a packet of up
 * to 256 MiB before looking at it, so the guard follows the fixed headers as bytes are read and
 * cuts a packet by its declared length. It also stops reading while the client has enough waiting.
 */
import type { Duplex } from 'node:stream';

export type GuardFinding =
  | {
      readonly kind: 'too-large';
      readonly declaredBytes: number;
      readonly limit: 'firstPacketBytesMax' | 'packetBytesMax';
    }
  | { readonly kind: 'malformed'; readonly detail: string }
  | { readonly kind: 'unknown-level'; readonly level: number };

export interface GuardOptions {
  readonly firstPacketBytesMax: number;
  readonly packetBytesMax: number;
  /** While true, nothing is read; the bytes wait in the socket and push back on the sender. */
  readonly isHeld: () => boolean;
  /** Called once; the connection ends right after. */
  readonly onFinding: (finding: GuardFinding) => void;
}

/** Wraps `read`, the one way in which the broker takes bytes from a connection of any kind. */
export function guardPackets(conn: Duplex, options: GuardOptions): void {
  const read = conn.read.bind(conn);
  const scan = createPacketScanner(options);
  let isCut = false;
  conn.read = (size?: number) => {
    if (isCut || options.isHeld()) return null;
    const chunk: unknown = read(size);
    if (!Buffer.isBuffer(chunk)) return null;
    const finding = scan(chunk);
    if (finding === undefined) return chunk;
    isCut = true;
    options.onFinding(finding);
    // The parser would only close [MQTT-3.1.2-2].
    if (finding.kind === 'unknown-level') conn.end(unacceptableLevel, () => conn.destroy());
    else conn.destroy();
    return null;
  };
}

/** CONNACK with return code 0x01. */
const unacceptableLevel = Buffer.from([0x20, 2, 0, 1]);
/** What the parser reads: 3.1, 3.1.1 and 5, of which the broker refuses the last one itself. */
const knownLevels = [3, 4, 5];
const protocolNames = ['MQTT', 'MQIsdp'];
/** The longer name with its length, and the level. */
const connectHeadBytes = 9;
const connectType = 1;
const subscribeType = 8;
const unsubscribeType = 10;
/** A remaining length has at most four bytes [MQTT-2.2.3]. */
const lengthBytesMax = 4;

/** Feeds on the stream in any pieces; returns the first thing that is wrong with it. */
export function createPacketScanner(
  limits: Pick<GuardOptions, 'firstPacketBytesMax' | 'packetBytesMax'>,
): (chunk: Buffer) => GuardFinding | undefined {
  let packets = 0;
  let bodyLeft = 0;
  let type: number | undefined;
  let length = 0;
  let lengthBytes = 0;
  /** How the body of the first packet begins. */
  const head: number[] = [];

  /** Of a name that is none of the protocol's nothing is said: the parser refuses it. */
  function takeHead(bytes: Buffer): GuardFinding | undefined {
    for (const byte of bytes.subarray(0, connectHeadBytes - head.length)) head.push(byte);
    const levelAt = 2 + (head[0] ?? 0) * 256 + (head[1] ?? 0);
    const level = head[levelAt];
    const name = String.fromCharCode(...head.slice(2, levelAt));
    if (level === undefined || !protocolNames.includes(name)) return undefined;
    // The highest bit says that a bridge connects.
    return knownLevels.includes(level & 0x7f) ? undefined : { kind: 'unknown-level', level };
  }

  /** One byte of a fixed header. */
  function takeHeaderByte(byte: number): GuardFinding | undefined {
    if (type === undefined) {
      type = byte >> 4;
      length = 0;
      lengthBytes = 0;
      const isFirst = packets === 0;
      // [MQTT-3.1.0-1]
      if (isFirst && type !== connectType) return malformed('the first packet is not CONNECT');
      return undefined;
    }
    length += (byte & 0x7f) * 128 ** lengthBytes;
    lengthBytes += 1;
    if ((byte & 0x80) !== 0) {
      const isTooLong = lengthBytes === lengthBytesMax;
      return isTooLong ? malformed('the remaining length has more than four bytes') : undefined;
    }
    return takeHeader(type);
  }

  function takeHeader(packetType: number): GuardFinding | undefined {
    const declaredBytes = 1 + lengthBytes + length;
    const limit = packets === 0 ? 'firstPacketBytesMax' : 'packetBytesMax';
    if (declaredBytes > limits[limit]) return { kind: 'too-large', declaredBytes, limit };
    // [MQTT-3.8.3-3] and [MQTT-3.10.3-2]: at least one filter beside the packet identifier.
    const isEmptyList =
      (packetType === subscribeType || packetType === unsubscribeType) && length <= 2;
    if (isEmptyList) return malformed('a SUBSCRIBE or UNSUBSCRIBE without a filter');
    packets += 1;
    bodyLeft = length;
    type = undefined;
    return undefined;
  }

  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      const step = Math.min(bodyLeft, chunk.length - at);
      if (packets === 1 && head.length < connectHeadBytes) {
        const unknown = takeHead(chunk.subarray(at, at + step));
        if (unknown !== undefined) return unknown;
      }
      bodyLeft -= step;
      at += step;
      const byte = chunk[at];
      if (bodyLeft > 0 || byte === undefined) return undefined;
      at += 1;
      const finding = takeHeaderByte(byte);
      if (finding !== undefined) return finding;
    }
    return undefined;
  };
}

function malformed(detail: string): GuardFinding {
  return { kind: 'malformed', detail };
}
