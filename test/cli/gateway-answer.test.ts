/** Everything that may answer in place of a gateway, or not answer at all. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { type Server as BareServer, createServer as createBareServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { answerOf } from '../../gateway/cli/gateway-answer.ts';

const open: BareServer[] = [];
const sockets = new Set<Socket>();

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  for (const server of open.splice(0)) {
    await new Promise((done) => server.close(done));
  }
});

async function addressOf(server: Server | BareServer, scheme = 'http'): Promise<string> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  open.push(server);
  server.on('connection', (socket: Socket) => sockets.add(socket));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('it has no port');
  return `${scheme}://127.0.0.1:${address.port}`;
}

const answering = (listener: RequestListener) => addressOf(createServer(listener));

const ask = (base: string) => answerOf({ base, token: 'a' }, { method: 'GET', path: '/models' });

function says(status: number, text: string, headers: Record<string, string> = {}) {
  return answering((_request, response) => {
    response.writeHead(status, { Connection: 'close', ...headers });
    response.end(text);
  });
}

const page = '<!doctype html><title>Welcome</title>';
const problem = JSON.stringify({ title: 'Forbidden', status: 403, detail: 'a viewer may not' });

describe('The answer of a gateway', () => {
  it('is what the JSON says, and nothing when it is empty', async () => {
    expect(await ask(await says(200, '{"items":[]}'))).toEqual({ items: [] });
    expect(await ask(await says(204, ''))).toBeUndefined();
  });

  it.each([
    ['a page', 200, page, 'is no Fieldgate: look at the address and its port'],
    ['a page that is not found', 404, page, 'is no Fieldgate (404)'],
    ['a refusal of the gateway', 403, problem, 'a viewer may not'],
    ['a token that is unknown', 401, problem, '`fieldgate token create` makes one'],
    ['a proxy that wants to be signed in at', 401, page, 'lets nobody by (401)'],
    ['a proxy that refuses', 403, page, 'lets nobody by (403)'],
    ['a proxy without a gateway behind it', 502, page, 'the gateway behind it does not: start it'],
  ])('is refused with a sentence when it is %s', async (_what, status, text, sentence) => {
    await expect(ask(await says(status, text))).rejects.toThrow(sentence);
  });

  it('is not looked for elsewhere when it is a redirection', async () => {
    const base = await says(308, '', { Location: 'https://there/' });
    await expect(ask(base)).rejects.toThrow('sends on to https://there/');
  });
});

describe('No answer of a gateway', () => {
  it('is told as a name that nobody knows', async () => {
    const failed = ask('http://no-such-machine.invalid');
    await expect(failed).rejects.toThrow(/no gateway answers at .*(name|network)/);
    await expect(failed).rejects.not.toThrow('getaddrinfo');
  });

  it('is told as a port where nothing listens', async () => {
    const server = createServer();
    const base = await addressOf(server);
    open.splice(0);
    await new Promise((done) => server.close(done));
    await expect(ask(base)).rejects.toThrow('nothing listens there: start it');
  });

  it('is told as a server that does not speak HTTP', async () => {
    const base = await addressOf(createBareServer((socket) => socket.end('220 mail\r\n')));
    await expect(ask(base)).rejects.toThrow('does not speak HTTP');
  });

  it('is told as a server that does not speak TLS', async () => {
    const server = createServer();
    const base = await addressOf(server, 'https');
    await expect(ask(base)).rejects.toThrow('it does not speak TLS: try http://');
  });

  it('is told as a connection that is cut', async () => {
    const base = await addressOf(createBareServer((socket) => socket.destroy()));
    await expect(ask(base)).rejects.toThrow('the connection was cut');
  });
});
