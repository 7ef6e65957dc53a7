/** What cannot be read at all: bytes that are no HTTP, bodies that are no text, paths in capitals. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RunningDashboard, startDashboard } from './running-dashboard.ts';

let dashboard: RunningDashboard;

beforeAll(async () => {
  dashboard = await startDashboard();
});

afterAll(() => dashboard.stop());

/** Until the server closes. */
function answerTo(
  lines: readonly string[],
): Promise<{ status: number; head: string; body: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(dashboard.port, '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    socket.once('error', reject).once('close', () => {
      const [head = '', body = ''] = text.split('\r\n\r\n');
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]), head, body });
    });
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  });
}

const get = 'GET /api/v1/devices HTTP/1.1';
const host = 'Host: 127.0.0.1';

describe('What never becomes a request', () => {
  it.each([
    ['no HTTP [RFC 9112, 3]', 400, ['NONSENSE']],
    ['a method that nobody knows [RFC 9112, 3.1]', 400, ['FOO / HTTP/1.1', host]],
    [
      'two lengths at once [RFC 9112, 6.3]',
      400,
      [...[get, host, 'Content-Length: 5', 'Transfer-Encoding: chunked']],
    ],
    ['a blank in the name of a header [RFC 9112, 5.1]', 400, [get, host, 'Accept : */*']],
    ['a header that is too long [RFC 6585, 5]', 431, [get, host, `X-Long: ${'x'.repeat(20_000)}`]],
    ['an address that is too long', 431, [`GET /${'x'.repeat(20_000)} HTTP/1.1`, host]],
    [
      'an expectation that is none [RFC 9110, 10.1.1]',
      417,
      [...[get, host, 'Connection: close', 'Expect: 200-ok']],
    ],
  ] as const)('is refused with a problem for %s', async (_what, status, lines) => {
    const answer = await answerTo(lines);
    expect(answer.status).toBe(status);
    expect(answer.head).toContain('Content-Type: application/problem+json');
    expect(JSON.parse(answer.body)).toMatchObject({
      ...{ type: 'about:blank', status, title: expect.any(String), detail: expect.any(String) },
    });
  });

  it('is not answered within the answer to what came before it', async () => {
    const token = `Authorization: Bearer ${dashboard.tokens.viewer}`;
    const stream = ['GET /api/v1/live HTTP/1.1', host, token, '', 'NONSENSE'];
    const { status, body } = await answerTo(stream);
    expect(status).toBe(200);
    expect(body).not.toContain('problem');
  });
});

describe('A body in JSON [RFC 8259, 8.1]', () => {
  const put = (body: Uint8Array, type: string) =>
    dashboard.ask('/api/v1/devices/meter-7', {
      ...{ method: 'PUT', headers: { 'Content-Type': type } },
      body: new Uint8Array(body),
    });

  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON;charset="UTF-8"',
  ])('is refused as %s when its bytes are no UTF-8, and nothing is stored', async (type) => {
    const refused = await put(
      Buffer.from('{"kind":"cellular","name":"K\xf6rp\xfc"}', 'latin1'),
      type,
    );
    expect(refused.status).toBe(400);
    expect(JSON.parse(await refused.text()).detail).toBe('the body is not valid UTF-8');
    expect(dashboard.registry.get('meter-7')).toBeUndefined();
  });

  it.each(['utf-16', 'utf-16le', 'utf-32', 'iso-8859-1'])('is refused in %s', async (charset) => {
    const body = Buffer.from('{"kind":"cellular"}', 'utf16le');
    const refused = await put(body, `application/json; charset=${charset}`);
    expect(refused.status).toBe(415);
    expect(JSON.parse(await refused.text()).detail).toBe('send the body in UTF-8');
  });

  it('may begin with a byte-order mark, and may have any letter', async () => {
    const body = Buffer.from('\uFEFF{"kind":"cellular","name":"Körpü 🌉"}');
    expect((await put(body, 'application/json')).status).toBe(201);
    expect(dashboard.registry.get('meter-7')?.name).toBe('Körpü 🌉');
  });
});

async function askLive() {
  const response = await dashboard.ask('/live', { token: null });
  const { status, headers } = response;
  return { status, headers, body: await response.text() };
}

describe('A path', () => {
  it('in capitals is held to the same contract as in small letters', async () => {
    expect((await dashboard.ask('/API/V1/Devices')).status).toBe(200);
    expect((await dashboard.ask('/API/V1/Devices?lmit=5')).status).toBe(400);
    const refused = await dashboard.ask('/API/V1/Devices', { method: 'PATCH' });
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('of the WebSocket asks for one, and says which [RFC 9110, 15.5.22]', async () => {
    const { status, headers, ...answer } = await askLive();
    expect([status, headers.get('upgrade')]).toEqual([426, 'websocket']);
    expect(JSON.parse(answer.body)).toMatchObject({ status: 426, title: 'Upgrade Required' });
  });

  it('of * with OPTIONS is the server as a whole [RFC 9110, 9.3.7]', async () => {
    const { status } = await answerTo(['OPTIONS * HTTP/1.1', host, 'Connection: close']);
    expect(status).toBe(204);
  });
});
