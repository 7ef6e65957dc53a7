/** Many clients at once that mean no good, over raw sockets: for the suite and the benchmark. */
import { connect, type Socket } from 'node:net';
import { mutatedConversations } from './mutated-packets.ts';
import { connectPacket, pingreq, publishPacket } from './wire.ts';

/** Runs `work` for 0 to `count` - 1, so many at once. */
export async function inParallel(
  { count, atOnce }: { readonly count: number; readonly atOnce: number },
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const runner = async () => {
    while (next < count) {
      const index = next;
      next += 1;
      await work(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, runner));
}

/** Sends damaged conversations until so many damaged packets have left; gives how many have. */
export async function sendMutated(
  port: number,
  { packets, seed, atOnce }: { packets: number; seed: number; atOnce: number },
): Promise<{ readonly packets: number; readonly connections: number }> {
  const conversations = mutatedConversations(seed);
  const sent = { packets: 0, connections: 0 };
  const runner = async () => {
    while (sent.packets < packets) {
      const { packets: said, damaged } = conversations.next().value;
      sent.packets += damaged;
      sent.connections += 1;
      await sayAndLeave(port, said);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, runner));
  return sent;
}

/** By then the other side has read all that it will read. */
const silenceMs = 20;

/**
 * Sends each packet by itself, since what is malformed takes along what came in one read with it.
 * Hears the answers out; resolves when the connection is over, whoever ended it.
 */
function sayAndLeave(port: number, packets: readonly Buffer[]): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const leave = () => socket.destroy();
    let silence = setTimeout(leave, 50 * silenceMs);
    const listen = () => {
      clearTimeout(silence);
      silence = setTimeout(leave, silenceMs);
    };
    socket.on('error', ignore);
    socket.once('close', () => {
      clearTimeout(silence);
      resolve();
    });
    socket.once('connect', listen);
    socket.on('data', (answer) => {
      // The answer to the ping at the end: everything before it has been read.
      if (answer.subarray(-2).equals(pingresp)) leave();
      else listen();
    });
    const left = [...packets, pingreq];
    const sayNext = () => {
      const next = left.shift();
      if (next === undefined || socket.destroyed) return;
      if (next.length === 0) sayNext();
      else socket.write(next, () => setImmediate(sayNext));
    };
    sayNext();
  });
}

const pingresp = Buffer.from([0xd0, 0]);

/** Connects, is greeted, and then says nothing; rejects when it is not greeted. */
export function openIdle(port: number, clientId: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.on('error', reject);
    socket.once('close', () => reject(new Error(`${clientId} was not let in`)));
    socket.once('data', (answer) => {
      if (answer[0] === 0x20 && answer[3] === 0) resolve(socket);
      else reject(new Error(`${clientId}: CONNACK ${answer.toString('hex')}`));
    });
    socket.write(connectPacket({ clientId, keepalive: 0 }));
  });
}

export interface Witness {
  /** QoS 1 messages that have their PUBACK. */
  acknowledged(): number;
  /** Milliseconds from PUBLISH to PUBACK, as they came. */
  readonly latenciesMs: readonly number[];
  /** Ends it; rejects when its connection was not left alone. */
  stop(): Promise<void>;
}

/** A client among the others that publishes at QoS 1, one message after the other. */
export function startWitness(
  port: number,
  { everyMs, login = {} }: { everyMs: number; login?: { username?: string; password?: string } },
): Promise<Witness> {
  return new Promise((started, failed) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const latenciesMs: number[] = [];
    let held = Buffer.alloc(0);
    let count = 0;
    let sentAt = 0;
    let isStopped = false;
    const send = () => {
      if (isStopped) return;
      count += 1;
      sentAt = performance.now();
      const id = (count % 65_535) + 1;
      socket.write(publishPacket({ topic: 'up/witness', payload: `{"n":${count}}`, id }));
    };
    const over = new Promise<void>((resolve, reject) => {
      socket.once('close', () => {
        if (isStopped) resolve();
        else reject(new Error(`the witness was cut after ${latenciesMs.length} messages`));
      });
    });
    over.catch(failed);
    socket.on('error', ignore);
    socket.on('data', (chunk) => {
      held = Buffer.concat([held, chunk]);
      for (; held.length >= 4; held = held.subarray(4)) {
        if (held[0] === 0x20) {
          started({
            acknowledged: () => latenciesMs.length,
            latenciesMs,
            stop: () => {
              isStopped = true;
              socket.destroy();
              return over;
            },
          });
          send();
        } else {
          latenciesMs.push(performance.now() - sentAt);
          setTimeout(send, everyMs);
        }
      }
    });
    socket.write(connectPacket({ clientId: 'witness', ...login }));
  });
}

function ignore(): void {}
