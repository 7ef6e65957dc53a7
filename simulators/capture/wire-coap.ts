/**
 * Replays what came over CoAP: a confirmable POST each, sent again until it is acknowledged, taken
 * with 2.04 [RFC 7252, section 4.2]. Larger bodies go in blocks [RFC 7959].
 */
import { randomBytes, randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { NotSent } from '../not-sent.ts';
import {
  block1,
  blockBytes,
  type CoapAnswer,
  type CoapOption,
  coapAcknowledgement,
  coapOptions,
  readCoapAnswer,
  writeCoapPost,
} from './coap-message.ts';
import { createRoom, type ReplayAccount, type ReplayAccounts, type Wire } from './wire.ts';

export interface CoapWireOptions {
  /** `coap://host:port`. */
  readonly url: string;
  readonly accounts: ReplayAccounts;
}

const defaultPort = 5683;
/** Requests under way; one at a time for each sender, as NSTART wants it [RFC 7252, 4.7]. */
const requestsMax = 16;
/** ACK_TIMEOUT, ACK_RANDOM_FACTOR and MAX_RETRANSMIT [RFC 7252, section 4.8]. */
const firstWaitMs = 2_000;
const waitFactor = 1.5;
const retransmissionsMax = 4;
/** An answer of its own may come so much later than the acknowledgement. */
const answerWaitMs = 30_000;
const attemptsMax = 5;
/** A receiver that says when to come again is believed up to here. */
const retrySecondsMax = 10;

interface Exchange {
  readonly messageId: number;
  readonly answered: (answer: CoapAnswer) => void;
}

export async function openCoapWire({ url, accounts }: CoapWireOptions): Promise<Wire> {
  const client = await openClient(url);
  const room = createRoom(requestsMax);
  const lanes = new Map<string, Promise<void>>();
  let isStopped = false;
  return {
    async send({ route, body, sender }, settled) {
      if (!(await room.enter())) return settled(new NotSent());
      const lane = sender ?? '';
      const options = [...placeOf(route), ...formatOf(body), ...tokenOf(accounts.of(sender))];
      const done = (lanes.get(lane) ?? Promise.resolve())
        .then(() => post(client, { route, options, body }, () => isStopped))
        .then(() => settled(), settled)
        .finally(() => {
          room.leave();
          if (lanes.get(lane) === done) lanes.delete(lane);
        });
      lanes.set(lane, done);
    },
    stop() {
      isStopped = true;
      room.stop();
    },
    async close(graceMs) {
      await room.empty(graceMs);
      client.close();
    },
  };
}

interface Post {
  readonly route: string;
  readonly options: readonly CoapOption[];
  readonly body: Buffer;
}

/** A body beyond one block goes part by part; 5.03 says that nothing was taken: once more. */
async function post(client: Client, request: Post, isStopped: () => boolean): Promise<void> {
  const { route, options, body } = request;
  for (let attempt = 1; ; attempt += 1) {
    const { code, maxAge = 1 } = await sendParts(client, options, body);
    if (code.startsWith('2.')) return;
    if (code !== '5.03' || attempt >= attemptsMax || isStopped()) {
      throw new Error(`POST ${route} answers ${code}`);
    }
    await pause(Math.min(maxAge, retrySecondsMax) * 1_000);
  }
}

async function sendParts(
  client: Client,
  options: readonly CoapOption[],
  body: Buffer,
): Promise<CoapAnswer> {
  if (body.length <= blockBytes) return await client.ask(options, body);
  const parts = Math.ceil(body.length / blockBytes);
  for (let part = 0; ; part += 1) {
    const isLast = part === parts - 1;
    const payload = body.subarray(part * blockBytes, (part + 1) * blockBytes);
    const answer = await client.ask([...options, block1(part, { isLast })], payload);
    if (isLast || answer.code !== '2.31') return answer;
  }
}

interface Client {
  /** Rejects when no answer comes, or a reset. */
  ask(options: readonly CoapOption[], payload: Buffer): Promise<CoapAnswer>;
  close(): void;
}

async function openClient(url: string): Promise<Client> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.connect(Number(port || defaultPort), host);
  await once(socket, 'connect');
  // Nobody listens there: the missing acknowledgement says so.
  socket.on('error', () => undefined);
  const send = (datagram: Buffer): void => socket.send(datagram, () => undefined);
  const exchanges = new Map<string, Exchange>();
  let nextMessageId = randomInt(0x1_0000);
  socket.on('message', (datagram: Buffer) => {
    const answer = readCoapAnswer(datagram);
    if (answer === undefined) return;
    if (answer.type === 'confirmable') send(coapAcknowledgement(answer.messageId));
    exchangeOf(exchanges, answer)?.answered(answer);
  });
  return {
    async ask(options, payload) {
      const token = randomBytes(4);
      const messageId = nextMessageId;
      nextMessageId = (nextMessageId + 1) & 0xffff;
      const key = token.toString('hex');
      const datagram = writeCoapPost({ messageId, token, options, payload });
      try {
        return await new Promise<CoapAnswer>((resolve, reject) => {
          const timer = retransmit(() => send(datagram), reject);
          const answered = (answer: CoapAnswer): void => {
            timer.stop();
            if (answer.type === 'reset') reject(new Error('the receiver has sent a reset'));
            else if (answer.code === '0.00') timer.await();
            else resolve(answer);
          };
          exchanges.set(key, { messageId, answered });
        });
      } finally {
        exchanges.delete(key);
      }
    },
    close: () => socket.close(),
  };
}

/** By its token; what is empty has none, and stands for its message. */
function exchangeOf(
  exchanges: ReadonlyMap<string, Exchange>,
  { code, token, messageId }: CoapAnswer,
): Exchange | undefined {
  if (code !== '0.00') return exchanges.get(token.toString('hex'));
  return [...exchanges.values()].find((exchange) => exchange.messageId === messageId);
}

/** Sends at once, and again after doubling pauses. */
function retransmit(send: () => void, giveUp: (error: Error) => void) {
  let wait = firstWaitMs * (1 + (waitFactor - 1) * Math.random());
  let timer: NodeJS.Timeout | undefined;
  const attempt = (left: number): void => {
    send();
    timer = setTimeout(() => {
      if (left === 0) giveUp(new Error('no acknowledgement came'));
      else attempt(left - 1);
    }, wait);
    wait *= 2;
  };
  attempt(retransmissionsMax);
  return {
    stop: () => clearTimeout(timer),
    /** It was taken; the answer itself is still to come. */
    await: () => {
      timer = setTimeout(() => giveUp(new Error('no answer came')), answerWaitMs);
    },
  };
}

/** A topic that is no path of a gateway's own goes in the query, as a modem platform has it. */
function placeOf(route: string): CoapOption[] {
  const [path = '', query = ''] = route.split('?', 2);
  const levels = path.replace(/^\//, '').split('/');
  const isPath = levels.length === 2 && (levels[0] === 'up' || path.startsWith('/ingest/'));
  if (!isPath) return [textOption(coapOptions.uriQuery, `t=${route}`)];
  const parts = query === '' ? [] : query.split('&').map(decodeURI);
  return [
    ...levels.map((level) => textOption(coapOptions.uriPath, level)),
    ...parts.map((part) => textOption(coapOptions.uriQuery, part)),
  ];
}

/** A capture does not keep formats: the first byte tells enough. */
function formatOf(body: Buffer): CoapOption[] {
  const start = body.toString('latin1', 0, 100).trimStart()[0];
  const isJson = start === '{' || start === '[';
  return [{ number: coapOptions.contentFormat, value: Buffer.of(isJson ? 50 : 42) }];
}

function tokenOf(account: ReplayAccount | undefined): CoapOption[] {
  const token = account?.token ?? account?.password;
  return token === undefined ? [] : [textOption(coapOptions.token, token)];
}

function textOption(number: number, text: string): CoapOption {
  return { number, value: Buffer.from(text, 'utf8') };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
