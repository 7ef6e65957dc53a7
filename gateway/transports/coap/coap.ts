/**
 * CoAP over UDP [RFC 7252] for modems inside a private network: POST, answered with 2.04 in the
 * acknowledgement itself, and only once the receiver has resolved. An empty acknowledgement is
 * never sent ahead: to a modem that sleeps after it, it would mean that its data is safe.
 */
import { randomInt, randomUUID } from 'node:crypto';
import type { RemoteInfo } from 'node:dgram';
import type { Inbound } from '../../model/inbound.ts';
import { createFloodLimit, type FloodLimit } from '../flood-limit.ts';
import { createInFlight, type InFlight } from '../in-flight.ts';
import { createLogThrottle } from '../log-throttle.ts';
import { isPrivate } from '../private-address.ts';
import type { Receive, Transport } from '../transport.ts';
import type { TransportHooks } from '../transport-hooks.ts';
import { openUdpSocket, type UdpSocket } from '../udp-socket.ts';
import {
  type CoapAccount,
  type CoapDoor,
  type CoapRequestTarget,
  createCoapDoor,
} from './accounts.ts';
import { type BlockAssembly, type BlockLimits, createBlockAssembly } from './blocks.ts';
import { type CoapExchanges, createCoapExchanges } from './exchanges.ts';
import {
  type Block,
  block1Option,
  type CoapMessage,
  type CoapOption,
  headerBytes,
  optionNumbers,
  readBlock1,
  readCoapMessage,
  readUintOption,
  uintOption,
  writeCoapReply,
} from './message.ts';

export interface Coap extends Transport {
  /**
   * Holds from the next message on. One that waits for its receipt gets its answer; a body in
   * blocks ends with its account or its token. There is no other session: neither DTLS nor OSCORE.
   */
  setAccounts(accounts: readonly CoapAccount[]): void;
}

export interface CoapOptions extends BlockLimits {
  readonly host: string;
  readonly port: number;
  /** There is no encryption here: without this, an address beyond a private network is refused. */
  readonly allowUnencryptedPublic: boolean;
  readonly accounts: readonly CoapAccount[];
  /** Of one address; above it messages are dropped, as an answer could go to a forged sender. */
  readonly messagesPerSecondMax: number;
  readonly inFlightMax: number;
  readonly stopTimeoutMs: number;
}

/** Why a message went no further: a closed list, since it becomes a label. */
type Reason =
  | 'malformed'
  | 'flood'
  | 'unauthorized'
  | 'not-found'
  | 'not-supported'
  | 'incomplete'
  | 'too-large'
  | 'busy';

interface Listening {
  readonly options: CoapOptions;
  readonly receive: Receive;
  readonly hooks: TransportHooks;
  /** Another one with each change of the accounts. */
  door: CoapDoor;
  readonly exchanges: CoapExchanges;
  readonly blocks: BlockAssembly;
  readonly flood: FloodLimit;
  readonly inFlight: InFlight;
  /** Unlike in every run, so that a sender's port means another connection after a restart. */
  readonly run: string;
  readonly turnAway: (reason: Reason, from: RemoteInfo) => void;
}

interface Answer {
  readonly code: string;
  readonly options?: readonly CoapOption[];
}

const addressesMax = 100_000;
const comeBackSeconds = 5;
/** Text, bytes, JSON, SenML in JSON and in CBOR; a message may also say nothing of its format. */
const contentFormats = new Set<number | undefined>([undefined, 0, 42, 50, 110, 112]);
/** Critical options, which may not be passed over, that change nothing here. */
const understood = new Set<number>(Object.values(optionNumbers));

export function createCoap(options: CoapOptions, receive: Receive, hooks: TransportHooks): Coap {
  const listening = createListening(options, receive, hooks);
  let accounts = options.accounts;
  let socket: UdpSocket | undefined;
  let isStopping = false;
  return {
    setAccounts: (next) => {
      listening.door = createCoapDoor(next);
      const gone = goneOf(accounts, next);
      listening.blocks.forget((key) => gone.has(key.split(' ', 1)[0] ?? ''));
      accounts = next;
    },
    start: async () => {
      if (!options.allowUnencryptedPublic && !isPrivate(options.host)) {
        throw new Error(
          `CoAP is not encrypted and ${options.host} is not a private address: ` +
            'listen on a private one, or set allowUnencryptedPublic',
        );
      }
      socket = await openUdpSocket(options, (datagram, from) => {
        if (!isStopping)
          take(listening, { datagram, from, send: (bytes) => socket?.send(bytes, from) });
      });
      return [{ name: 'coap', host: options.host, port: socket.port }];
    },
    stop: async () => {
      isStopping = true;
      await listening.inFlight.settle(options.stopTimeoutMs);
      await socket?.close();
      socket = undefined;
    },
  };
}

/** Names of those that are no longer there, or under another token: maybe of somebody else. */
function goneOf(before: readonly CoapAccount[], after: readonly CoapAccount[]) {
  const left = new Map(after.map(({ name, token }) => [name, token]));
  const gone = before.filter(({ name, token }) => left.get(name) !== token);
  return new Set(gone.map(({ name }) => name));
}

function createListening(options: CoapOptions, receive: Receive, hooks: TransportHooks): Listening {
  const { monotonicMs } = hooks;
  const throttle = createLogThrottle(monotonicMs);
  return {
    options,
    receive,
    hooks,
    door: createCoapDoor(options.accounts),
    exchanges: createCoapExchanges(monotonicMs),
    blocks: createBlockAssembly(options, monotonicMs),
    flood: createFloodLimit({
      perSecondMax: options.messagesPerSecondMax,
      burstMax: 2 * options.messagesPerSecondMax,
      keysMax: addressesMax,
      monotonicMs,
    }),
    inFlight: createInFlight(),
    run: randomUUID(),
    turnAway: (reason, { address }) => {
      hooks.onTurnedAway('coap', reason);
      const heldBack = throttle(`${reason} ${address}`);
      if (heldBack === undefined) return;
      const fields = { event: 'coap-turned-away', reason, address, heldBack };
      hooks.log.warn(fields, 'CoAP message refused');
    },
  };
}

interface Arrival {
  readonly datagram: Buffer;
  readonly from: RemoteInfo;
  readonly send: (datagram: Buffer) => void;
}

/** The message layer: what is answered at all, and what has been answered before. */
function take(listening: Listening, { datagram, from, send }: Arrival): void {
  const { exchanges, flood, turnAway } = listening;
  const message = flood.admit(from.address) ? readCoapMessage(datagram) : 'flood';
  if (message === 'flood' || message === undefined) {
    turnAway(message ?? 'malformed', from);
    if (message === undefined) reject(datagram, send);
    return;
  }
  const { type, code, messageId } = message;
  // A client asks nobody for anything here, so there is nothing to acknowledge or to reset.
  if (type === 'acknowledgement' || type === 'reset') return;
  if (code === '0.00') {
    if (type === 'confirmable') send(resetOf(messageId));
    return;
  }
  if (!code.startsWith('0.')) {
    turnAway('malformed', from);
    reject(datagram, send);
    return;
  }
  const key = `${from.address} ${from.port} ${messageId}`;
  const known = exchanges.find(key);
  if (known !== undefined) {
    if (known !== 'pending') send(known);
    return;
  }
  exchanges.begin(key);
  listening.inFlight.track(answerOf(listening, message, from)).then((answer) => {
    const reply = replyOf(message, answer);
    exchanges.answer(key, reply);
    send(reply);
  });
}

/**
 * Who waits for a receipt of what cannot be read is told by a reset, and need not send it again
 * [RFC 7252, section 4.2]. Another version, and what asks for none, is passed over [3, 4.3].
 */
function reject(datagram: Buffer, send: Arrival['send']): void {
  const isConfirmable = datagram.length >= headerBytes && (datagram[0] ?? 0) >> 4 === 0b0100;
  if (isConfirmable) send(resetOf(datagram.readUInt16BE(2)));
}

/** To an empty message it is how CoAP says that it is there [RFC 7252, section 4.3]. */
function resetOf(messageId: number): Buffer {
  return writeCoapReply({ type: 'reset', code: '0.00', messageId, token: Buffer.alloc(0) });
}

/**
 * The answer rides on the acknowledgement; to a message that asks for none it is one of its own.
 */
function replyOf({ type, messageId, token }: CoapMessage, answer: Answer): Buffer {
  return type === 'confirmable'
    ? writeCoapReply({ ...answer, type: 'acknowledgement', messageId, token })
    : writeCoapReply({ ...answer, type, messageId: randomInt(0x1_0000), token });
}

/** The request layer. Never rejects. */
async function answerOf(
  listening: Listening,
  message: CoapMessage,
  from: RemoteInfo,
): Promise<Answer> {
  const { options, inFlight, turnAway } = listening;
  const refuse = (code: string, reason: Reason, more: readonly CoapOption[] = []): Answer => {
    turnAway(reason, from);
    return { code, options: more };
  };
  if (message.code !== '0.02') return refuse('4.05', 'not-supported');
  if (isProxied(message)) return refuse('5.05', 'not-supported');
  const block = readBlock1(message);
  if (block === 'bad' || message.options.some(isNotUnderstood)) {
    return refuse('4.02', 'not-supported');
  }
  const target = listening.door(message);
  if (target === 'unauthorized') return refuse('4.01', 'unauthorized');
  if (target === 'not-found') return refuse('4.04', 'not-found');
  const format = readUintOption(message, optionNumbers.contentFormat);
  if (!contentFormats.has(format)) return refuse('4.15', 'not-supported');
  const body = bodyOf(listening, { message, from, target, block });
  if (body === 'continue') return { code: '2.31', options: repeated(block) };
  if (body === 'incomplete') return refuse('4.08', 'incomplete', repeated(block));
  if (body === 'too-large') {
    // With a Block1 it would ask for smaller blocks of the same body [RFC 7959, section 2.9.3].
    return refuse('4.13', 'too-large', [uintOption(optionNumbers.size1, options.bodyBytesMax)]);
  }
  if (body.length === 0) return refuse('4.00', 'malformed');
  if (inFlight.count() >= options.inFlightMax) return refuse('5.03', 'busy', [comeBack]);
  return deliver(listening, { target, body, from, block });
}

const comeBack = uintOption(optionNumbers.maxAge, comeBackSeconds);

function isProxied({ options }: CoapMessage): boolean {
  const { proxyUri, proxyScheme } = optionNumbers;
  return options.some(({ number }) => number === proxyUri || number === proxyScheme);
}

/** Odd numbers are critical [RFC 7252, section 5.4.1]. */
function isNotUnderstood({ number }: CoapOption): boolean {
  return number % 2 === 1 && !understood.has(number);
}

function repeated(block: Block | undefined): readonly CoapOption[] {
  return block === undefined ? [] : [block1Option(block)];
}

interface BodyPart {
  readonly message: CoapMessage;
  readonly from: RemoteInfo;
  readonly target: CoapRequestTarget;
  readonly block: Block | undefined;
}

function bodyOf({ blocks, options }: Listening, { message, from, target, block }: BodyPart) {
  const { payload } = message;
  if (block === undefined) return payload.length > options.bodyBytesMax ? 'too-large' : payload;
  const declared = readUintOption(message, optionNumbers.size1) ?? 0;
  if (declared > options.bodyBytesMax) return 'too-large';
  // The name goes first, as setAccounts looks for it there; it has no blank.
  const key = `${target.account.name} ${from.address} ${from.port} ${target.route}`;
  const outcome = blocks.add(key, block, payload);
  return outcome.kind === 'whole' ? outcome.body : outcome.kind;
}

interface Whole {
  readonly target: CoapRequestTarget;
  readonly body: Buffer;
  readonly from: RemoteInfo;
  readonly block: Block | undefined;
}

/** The only way to 2.04: the receiver has it on disk, or has written down why it is no use. */
async function deliver(
  listening: Listening,
  { target, body, from, block }: Whole,
): Promise<Answer> {
  const { hooks, receive } = listening;
  const inbound = inboundOf(listening, { target, body, from, block });
  const options = repeated(block);
  try {
    await (target.isAllowed ? receive(inbound) : hooks.onForbidden(inbound));
    return { code: target.isAllowed ? '2.04' : '4.03', options };
  } catch {
    return { code: '5.03', options: [comeBack, ...options] };
  }
}

function inboundOf({ hooks, run }: Listening, { target, body, from }: Whole): Inbound {
  const { adapter, account, route } = target;
  const { name, vouches, deviceId } = account;
  return {
    transport: 'coap',
    route,
    ...(adapter === undefined ? {} : { adapter }),
    body,
    receivedAt: hooks.clock.now(),
    sender: {
      credential: name,
      // A retransmission never comes so far; equal bytes of one sender are two messages.
      connection: `${run} ${from.address} ${from.port}`,
      vouches,
      ...(deviceId === undefined ? {} : { deviceId }),
    },
    dup: false,
  };
}
