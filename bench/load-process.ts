/**
 * The sending side of the end-to-end benchmark, a process of its own: ChirpStack v4 uplinks of many
 * devices over several MQTT connections at QoS 1, hand-framed so that it costs little of the two
 * cores it shares. Prints one JSON line with what was acknowledged and how long that took.
 */
import { connect, type Socket } from 'node:net';
import { devEuiOf, type LoadPlan, type LoadResult } from './load-plan.ts';

/** Elsys: 22.6 Cel, 41 %, 39 lx, 3.61 V. */
const payload = Buffer.from([1, 0, 226, 2, 41, 4, 0, 39, 7, 14, 26]).toString('base64');

/** Marks in the template where each message has words of its own. */
const marks = ['@id', '@time', '@device', '@eui', '@addr', '@round', '@gateway1', '@gateway2'];

/** Written once and cut at its marks: putting every message into JSON costs more than sending it. */
const pieces = JSON.stringify({
  deduplicationId: '3ac7e3c4-4401-4b8d-9386-@id',
  time: '@time',
  deviceInfo: {
    tenantId: '52f14cd4-c6f1-4fbd-8f87-4025e1d49242',
    tenantName: 'Town',
    applicationId: '17c82e96-be03-4f38-aef3-f83d48582d97',
    applicationName: 'Air quality',
    deviceProfileId: '14855bf7-d10d-4aee-b618-ebfcb64dc7ad',
    deviceProfileName: 'Elsys',
    deviceName: 'Sensor @device',
    devEui: '@eui',
    tags: { district: 'Nasimi' },
  },
  devAddr: '@addr',
  adr: true,
  dr: 5,
  fCnt: '@round',
  fPort: 5,
  confirmed: false,
  data: payload,
  rxInfo: [1, 2].map((gateway) => ({
    gatewayId: `0016c001f153a14${gateway}`,
    uplinkId: `@gateway${gateway}`,
    gwTime: '@time',
    rssi: -60 - gateway,
    snr: 8.5,
    location: { latitude: 40.4, longitude: 49.87 },
    context: 'E3OWOQ==',
  })),
  txInfo: {
    frequency: 867100000,
    modulation: { lora: { bandwidth: 125000, spreadingFactor: 7, codeRate: 'CR_4_5' } },
  },
})
  .replace(/"(@round|@gateway[12])"/g, '$1')
  .split(new RegExp(`(${marks.join('|')})`));

function bodyOf(number: number, devices: number): string {
  const device = number % devices;
  const round = Math.floor(number / devices);
  const own: Readonly<Record<string, string>> = {
    '@id': number.toString(16).padStart(12, '0'),
    '@time': new Date().toISOString(),
    '@device': String(device),
    '@eui': devEuiOf(device),
    '@addr': (0x01000000 + device).toString(16).padStart(8, '0'),
    '@round': String(round),
    '@gateway1': String(number * 2),
    '@gateway2': String(number * 2 + 1),
  };
  let body = '';
  for (const piece of pieces) body += own[piece] ?? piece;
  return body;
}

function remainingLength(length: number): number[] {
  const bytes: number[] = [];
  let rest = length;
  do {
    const byte = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? byte | 128 : byte);
  } while (rest > 0);
  return bytes;
}

function field(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}

function connectPacket({ username, password }: LoadPlan, index: number): Buffer {
  const variable = Buffer.from([0, 4, 77, 81, 84, 84, 4, 0xc2, 0, 60]);
  const body = Buffer.concat([
    variable,
    field(`load-${process.pid}-${index}`),
    field(username),
    field(password),
  ]);
  return Buffer.concat([Buffer.from([0x10, ...remainingLength(body.length)]), body]);
}

function publishPacket(number: number, messageId: number, devices: number): Buffer {
  const device = devEuiOf(number % devices);
  const topic = field(`application/17c82e96-be03-4f38-aef3-f83d48582d97/device/${device}/event/up`);
  const body = Buffer.from(bodyOf(number, devices));
  const head = [0x32, ...remainingLength(topic.length + 2 + body.length)];
  const id = Buffer.from([messageId >> 8, messageId & 255]);
  return Buffer.concat([Buffer.from(head), topic, id, body]);
}

const latenciesMax = 200_000;

interface Progress {
  next: number;
  sent: number;
  acknowledged: number;
  readonly latencies: number[];
}

async function run(plan: LoadPlan): Promise<LoadResult> {
  const progress: Progress = { next: plan.first, sent: 0, acknowledged: 0, latencies: [] };
  const sockets = await Promise.all(
    Array.from({ length: plan.connections }, (_, index) => open(plan, index)),
  );
  const started = performance.now();
  await Promise.all(sockets.map((socket) => pump(socket, plan, progress, started)));
  const seconds = (performance.now() - started) / 1_000;
  for (const socket of sockets) socket.end(Buffer.from([0xe0, 0]));
  const sorted = progress.latencies.sort((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  const { sent, acknowledged } = progress;
  return { sent, acknowledged, seconds, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

function open(plan: LoadPlan, index: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: plan.port, host: '127.0.0.1', noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => socket.write(connectPacket(plan, index)));
    socket.once('data', (answer) => {
      if (answer[0] === 0x20 && answer[3] === 0) resolve(socket);
      else reject(new Error(`CONNACK ${answer.toString('hex')}`));
    });
  });
}

/** Sends this connection's share and resolves when the last of it is acknowledged. */
function pump(socket: Socket, plan: LoadPlan, progress: Progress, started: number): Promise<void> {
  const sentAt = new Map<number, number>();
  const last = plan.first + plan.messages;
  let messageId = 0;
  let held = Buffer.alloc(0);

  function due(): number {
    if (plan.rate === 0) return last;
    return plan.first + Math.floor(((performance.now() - started) / 1_000) * plan.rate);
  }

  function send(): void {
    const limit = Math.min(last, due());
    const packets: Buffer[] = [];
    while (sentAt.size < plan.window && progress.next < limit) {
      messageId = (messageId % 65_535) + 1;
      packets.push(publishPacket(progress.next, messageId, plan.devices));
      progress.next += 1;
      progress.sent += 1;
      sentAt.set(messageId, performance.now());
    }
    if (packets.length > 0) socket.write(Buffer.concat(packets));
  }

  return new Promise((resolve, reject) => {
    /** A connection may have nothing under way when another one sends the last message. */
    const turn = () => {
      send();
      if (progress.next < last || sentAt.size > 0) return;
      clearInterval(pacing);
      socket.removeAllListeners('close');
      resolve();
    };
    const pacing = setInterval(turn, plan.rate === 0 ? 100 : 2);
    socket.once('close', () => reject(new Error('the connection was closed')));
    socket.on('data', (chunk) => {
      const bytes = Buffer.concat([held, chunk]);
      const now = performance.now();
      let at = 0;
      for (; at + 4 <= bytes.length; at += 4) {
        const id = bytes.readUInt16BE(at + 2);
        const since = sentAt.get(id);
        if (bytes[at] !== 0x40 || since === undefined) {
          reject(new Error('not a PUBACK of ours'));
          return;
        }
        sentAt.delete(id);
        progress.acknowledged += 1;
        if (progress.latencies.length < latenciesMax) progress.latencies.push(now - since);
      }
      held = bytes.subarray(at);
      turn();
    });
    turn();
  });
}

const plan: LoadPlan = JSON.parse(process.argv[2] ?? '');
process.stdout.write(`${JSON.stringify(await run(plan))}\n`);
