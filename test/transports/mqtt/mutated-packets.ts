/**
 * Seeded damage to MQTT conversations: each is a list of sound packets of which most have bytes
 * changed, put in, left out, cut off, or lengths that lie. The same seed gives the same bytes.
 */
import { connectPacket, packet, pingreq, publishPacket, subscribePacket, text } from './wire.ts';

export interface Conversation {
  readonly packets: readonly Buffer[];
  /** Packets in it that were damaged. */
  readonly damaged: number;
}

const identifier = (id: number): Buffer => Buffer.from([id >> 8, id & 0xff]);

/** What a client says first; `clientId` keeps one conversation from ending another. */
const greetings: readonly ((clientId: string) => Buffer)[] = [
  (clientId) => connectPacket({ clientId }),
  (clientId) => connectPacket({ clientId, clean: false }),
  (clientId) => connectPacket({ clientId: `__proto__${clientId}`, clean: false }),
  (clientId) =>
    connectPacket({ clientId, will: { topic: 'up/will', payload: 'gone', flags: 0x2c } }),
];
/** What it says later. */
const sentences: readonly Buffer[] = [
  subscribePacket(['up/+', 'state/#'], 1),
  subscribePacket(['constructor'], 2),
  publishPacket({ topic: 'up/x', payload: '{"temperature":21.5}', id: 1 }),
  publishPacket({ topic: 'up/x', payload: 'abc', qos: 2, id: 2 }),
  publishPacket({ topic: 'up/x', payload: 'abc', qos: 2, id: 2, dup: true }),
  packet(0x62, identifier(2)),
  publishPacket({ topic: 'state/kept', payload: 'abc', qos: 0, retain: true }),
  packet(0x40, identifier(1)),
  packet(0x50, identifier(1)),
  packet(0x70, identifier(1)),
  packet(0xa2, identifier(3), text('up/+')),
  pingreq,
  packet(0xe0),
];

const sentencesMax = 5;
const clientIds = 1_000;

/** Endless; the caller stops when it has had enough. */
export function* mutatedConversations(seed: number): Generator<Conversation, never> {
  const random = createRandom(seed);
  const below = (end: number) => Math.floor(random() * end);
  const pick = (list: readonly Buffer[]) => list[below(list.length)] ?? pingreq;
  for (let number = 0; ; number += 1) {
    // Most damage is to lie behind a sound CONNECT, or it would all end at the first packet.
    const isGreetingSound = random() < 0.8;
    const sound = greetings[below(greetings.length)]?.(`mutant-${number % clientIds}`) ?? pingreq;
    const greeting = isGreetingSound ? sound : damage(sound, below);
    const said = Array.from({ length: 1 + below(sentencesMax) }, () =>
      damage(pick(sentences), below),
    );
    const damaged = said.length + (isGreetingSound ? 0 : 1);
    yield { packets: [greeting, ...said], damaged };
  }
}

type Below = (end: number) => number;

function damage(sound: Buffer, below: Below): Buffer {
  // Every third is hurt in one field only: it stays readable, and what follows is read, too.
  const isMild = sound.length >= 4 && below(3) === 0;
  if (isMild) return changeAt(sound, 3 + below(Math.max(1, sound.length - 4)), below(128));
  let bytes: Buffer = sound;
  for (let count = 1 + below(3); count > 0; count -= 1) {
    bytes = damages[below(damages.length)]?.(bytes, below) ?? bytes;
  }
  return bytes;
}

const damages: readonly ((bytes: Buffer, below: Below) => Buffer)[] = [
  setByte,
  setByte,
  flipBit,
  flipBit,
  (bytes, below) => {
    const at = below(bytes.length + 1);
    const added = Buffer.from(Array.from({ length: 1 + below(4) }, () => below(256)));
    return Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at)]);
  },
  (bytes, below) => {
    const at = below(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(3))]);
  },
  (bytes, below) => bytes.subarray(0, below(bytes.length + 1)),
  (bytes, below) => {
    const at = below(bytes.length);
    return Buffer.concat([bytes, bytes.subarray(at)]);
  },
];

function setByte(bytes: Buffer, below: Below): Buffer {
  return bytes.length === 0 ? bytes : changeAt(bytes, below(bytes.length), below(256));
}

function flipBit(bytes: Buffer, below: Below): Buffer {
  if (bytes.length === 0) return bytes;
  const at = below(bytes.length);
  return changeAt(bytes, at, (bytes[at] ?? 0) ^ (1 << below(8)));
}

function changeAt(bytes: Buffer, at: number, value: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = value;
  return changed;
}

/** Mulberry32: small, and the same on every machine. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
