/**
 * Viewers of the live stream, one of them with a watch: from receipt at the gateway to the viewer.
 */
import { WebSocket } from 'ws';
import { liveSubprotocol, type ServerMessage } from '../dashboard/protocol.ts';
import type { GatewayProcess } from '../test/setup/gateway-process.ts';

export interface LiveFigures {
  readonly liveP50Ms: number;
  readonly liveP99Ms: number;
  readonly liveSamples: number;
}

const samplesMax = 500_000;
const rateMs = 100;

/** Both ends are on this machine, so the gateway's receivedAt and our clock are one. */
export async function watchLive({
  gateway,
  viewers,
}: {
  gateway: GatewayProcess;
  viewers: number;
}): Promise<{ close(): LiveFigures }> {
  const samples: number[] = [];
  const sockets = await Promise.all(
    Array.from({ length: viewers }, async (_, index) => {
      const socket = await join(gateway, index % 12);
      if (index === 0) {
        socket.on('message', (data) => {
          const message: ServerMessage = JSON.parse(data.toString());
          if (message.t !== 'd') return;
          const now = Date.now();
          for (const row of message.rows)
            if (samples.length < samplesMax) samples.push(now - row[5]);
        });
      }
      return socket;
    }),
  );
  return {
    close() {
      for (const socket of sockets) socket.terminate();
      samples.sort((a, b) => a - b);
      const at = (share: number) => samples[Math.floor((samples.length - 1) * share)] ?? Number.NaN;
      return { liveP50Ms: at(0.5), liveP99Ms: at(0.99), liveSamples: samples.length };
    },
  };
}

/** Resolves once the viewer has its first picture. */
function join({ http, token }: GatewayProcess, area: number): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${http.replace('http', 'ws')}/live`, liveSubprotocol, {
      headers: { Authorization: `Bearer ${token}` },
    });
    socket.once('error', reject);
    socket.once('open', () => {
      const filter = { area: `area-${area}` };
      socket.send(JSON.stringify({ t: 'sub', id: 1, view: 'latest', filter, rate: rateMs }));
    });
    socket.on('message', function look(data) {
      const message: ServerMessage = JSON.parse(data.toString());
      if (message.t !== 'snap') return;
      socket.off('message', look);
      resolve(socket);
    });
  });
}
