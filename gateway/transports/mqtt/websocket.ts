/** MQTT over WebSocket [MQTT 3.1.1, chapter 6]: the handshake, and the frames as a byte stream. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';

export interface MqttWebSocket {
  /** Answers the handshake; `accept` gets the stream when it was a sound one. */
  upgrade(upgrade: Upgrade, accept: (conn: Duplex) => void): void;
}

/** A request for an upgrade as Node's HTTP server hands it on. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** MQTT 3.1 clients name their protocol with its version. */
const subprotocols = ['mqtt', 'mqttv3.1'];
const unsupportedData = 1003;

export function createMqttWebSocket({
  frameBytesMax,
}: {
  readonly frameBytesMax: number;
}): MqttWebSocket {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: frameBytesMax,
    // Compression would let a few bytes on the wire become many in memory.
    perMessageDeflate: false,
    handleProtocols: (offered) => subprotocols.find((name) => offered.has(name)) ?? false,
  });
  return {
    upgrade: ({ request, socket, head }, accept) => {
      // [MQTT-6.0.0-3]
      if (!offersMqtt(request)) {
        socket.on('error', ignore);
        socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
        return;
      }
      server.handleUpgrade(request, socket, head, (webSocket) => {
        accept(toStream(webSocket));
      });
    },
  };
}

export function isMqttPath(request: IncomingMessage, path: string): boolean {
  return (request.url ?? '').split('?', 1)[0] === path;
}

function offersMqtt(request: IncomingMessage): boolean {
  const offered = request.headers['sec-websocket-protocol'] ?? '';
  return offered.split(',').some((name) => subprotocols.includes(name.trim()));
}

function toStream(webSocket: WebSocket): Duplex {
  // [MQTT-6.0.0-1]
  webSocket.on('message', (_data, isBinary) => {
    if (!isBinary) webSocket.close(unsupportedData, 'MQTT is binary');
  });
  return createWebSocketStream(webSocket);
}

function ignore(): void {}
