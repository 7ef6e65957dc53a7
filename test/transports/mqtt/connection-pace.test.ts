/** Beginnings and ends of connections, by a clock that the work itself moves on. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createConnectionPace } from '../../../gateway/transports/mqtt/connection-pace.ts';
import { awaitFirstBytes } from '../../../gateway/transports/mqtt/first-bytes.ts';

let server: Server;
let accepted: Socket[];
const clients: Socket[] = [];

beforeEach(async () => {
  accepted = [];
  server = createServer({ allowHalfOpen: false }, (socket) => accepted.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(() => {
  for (const socket of [...clients.splice(0), ...accepted]) socket.destroy();
  server.close();
});

async function pair(): Promise<{ readonly client: Socket; readonly socket: Socket }> {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const client = connect({ port, host: '127.0.0.1', noDelay: true });
  client.on('error', () => {});
  clients.push(client);
  await Promise.all([once(client, 'connect'), once(server, 'connection')]);
  const socket = accepted.at(-1);
  if (socket === undefined) throw new Error('nothing was accepted');
  return { client, socket };
}

async function pairs(count: number) {
  const made = [];
  for (let index = 0; index < count; index += 1) made.push(await pair());
  return made;
}

interface Rhythm {
  /** How long one opening takes. */
  readonly openingMs: number;
  /** And everything else in each turn of the loop. */
  readonly otherMs?: number;
}

/** Opens connections from these addresses; gives what was opened in each turn of the loop. */
async function opened(addresses: readonly string[], rhythm: Rhythm): Promise<string[][]> {
  const sockets = await pairs(addresses.length);
  let nowMs = 0;
  let left = addresses.length;
  const turns: string[][] = [[]];
  const turn = () => {
    nowMs += rhythm.otherMs ?? 0;
    turns.push([]);
    if (left > 0) setImmediate(turn);
  };
  const pace = createConnectionPace({ monotonicMs: () => nowMs, waitMsMax: 60_000 });
  await new Promise<void>((resolve) => {
    for (const [index, address] of addresses.entries()) {
      const begin = () => {
        nowMs += rhythm.openingMs;
        left -= 1;
        turns.at(-1)?.push(`${address}${index}`);
        if (left === 0) resolve();
      };
      const { socket } = sockets[index] ?? {};
      if (socket !== undefined) pace.open(socket, { address, begin, onLate: () => {} });
    }
    expect(pace.waiting()).toBe(addresses.length);
    turn();
  });
  expect(pace.waiting()).toBe(0);
  return turns.filter((names) => names.length > 0);
}

describe('Connections that come at once', () => {
  it('are opened a few in each turn of the loop, in the order in which they came', async () => {
    const turns = await opened(Array(7).fill('a'), { openingMs: 3 });
    expect(turns).toEqual([['a0', 'a1', 'a2'], ['a3', 'a4', 'a5'], ['a6']]);
  });

  it('leave the loop to others, but for one in each turn, while there is much to do', async () => {
    const turns = await opened(Array(4).fill('a'), { openingMs: 3, otherMs: 20 });
    expect(turns.slice(1).every((names) => names.length === 1)).toBe(true);
  });

  it('are opened several at a time when they have waited for long, however busy it is', async () => {
    const turns = await opened(Array(9).fill('a'), { openingMs: 1, otherMs: 2_000 });
    expect(turns.some((names) => names.length > 1)).toBe(true);
  });

  it('take turns by address, so that one with many does not hold up another', async () => {
    const turns = await opened([...Array(5).fill('a'), 'b', 'c', 'c'], { openingMs: 100 });
    expect(turns.flat()).toEqual(['a0', 'b5', 'c6', 'a1', 'c7', 'a2', 'a3', 'a4']);
  });

  it('are forgotten when they end before their turn', async () => {
    const pace = createConnectionPace({ monotonicMs: () => 0, waitMsMax: 60_000 });
    const gone = await pair();
    const other = await pair();
    const calls: string[] = [];
    const begun = new Promise<void>((resolve) => {
      for (const [name, { socket }] of Object.entries({ gone, other })) {
        const begin = () => {
          calls.push(name);
          if (name === 'other') resolve();
        };
        pace.open(socket, { address: 'a', begin, onLate: begin });
      }
      gone.socket.destroy();
    });
    await begun;
    expect(calls).toEqual(['other']);
    expect(pace.waiting()).toBe(0);
  });

  it('are told when they have waited for too long', async () => {
    let nowMs = 0;
    const waitMsMax = 100;
    const pace = createConnectionPace({ monotonicMs: () => nowMs, waitMsMax });
    const all = await pairs(3);
    const told = await Promise.all(
      all.map(
        ({ socket }) =>
          new Promise<string>((resolve) => {
            const begin = () => {
              nowMs += 1_000;
              const startedMs = performance.now();
              while (performance.now() - startedMs < 2 * waitMsMax);
              resolve('begun');
            };
            pace.open(socket, { address: 'a', begin, onLate: () => resolve('late') });
          }),
      ),
    );
    expect(told.at(-1)).toBe('late');
    expect(pace.waiting()).toBe(0);
  });
});

describe('Connections that end at once', () => {
  it('are ended before others are opened', async () => {
    const pace = createConnectionPace({ monotonicMs: () => 0, waitMsMax: 60_000 });
    const all = await pairs(30);
    const newcomer = await pair();
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      const begin = () => {
        order.push('begin');
        resolve();
      };
      pace.open(newcomer.socket, { address: 'a', begin, onLate: () => {} });
      for (const { socket } of all) {
        pace.end(socket);
        socket.resume().once('end', () => order.push('end'));
        socket.push(null);
      }
    });
    expect(order).toEqual([...Array(30).fill('end'), 'begin']);
  });

  it('have all of their bytes read first', async () => {
    const pace = createConnectionPace({ monotonicMs: () => 0, waitMsMax: 60_000 });
    const { client, socket } = await pair();
    pace.end(socket);
    client.end(Buffer.alloc(300_000, 'x'));
    let bytes = 0;
    for await (const chunk of socket) bytes += Buffer.byteLength(chunk);
    expect(bytes).toBe(300_000);
  });
});

describe('A new connection', () => {
  const hear = (socket: Socket, timeoutMs: number) =>
    new Promise<string>((resolve) => {
      awaitFirstBytes(socket, {
        timeoutMs,
        onBytes: () => resolve('bytes'),
        onSilence: () => resolve('silence'),
      });
      socket.once('close', () => resolve('over'));
    });

  it('is heard with its first bytes, which stay to be read', async () => {
    const { client, socket } = await pair();
    const heard = hear(socket, 60_000);
    client.write('hello');
    expect(await heard).toBe('bytes');
    expect(String(socket.read())).toBe('hello');
    client.write('again');
    expect(String((await once(socket, 'data'))[0])).toBe('again');
  });

  it('is told to be silent when it says nothing', async () => {
    const { socket } = await pair();
    expect(await hear(socket, 10)).toBe('silence');
  });

  it('is over when it ends without a word', async () => {
    const { client, socket } = await pair();
    const heard = hear(socket, 60_000);
    client.end();
    expect(await heard).toBe('over');
  });
});
