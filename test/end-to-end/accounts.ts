/** The accounts of the end-to-end tests: who publishes what, as an operator would set them up. */

export interface Account {
  readonly username: string;
  readonly password: string;
}

const password = 'end-to-end-password';

export const networkServer: Account = { username: 'network-server', password };
export const bridge: Account = { username: 'bridge', password };
export const modem: Account = { username: 'modem', password };
export const modemGateway: Account = { username: 'modem-gateway', password };
export const modemId = 'field-7';

/** The `mqtt.clients` of the configuration. */
export const mqttClients = [
  { ...networkServer, vouches: 'network-server', publish: ['application/#', 'v3/#'] },
  { ...bridge, publish: ['+/gateway/#', 'gateway/#'] },
  {
    ...modem,
    deviceId: modemId,
    publish: ['up/{deviceId}', 'v1/devices/me/telemetry'],
  },
  { ...modemGateway, publish: ['v1/gateway/telemetry', 'nobody/reads/this'] },
];

/** Whose topic it is. */
export function accountFor(topic: string): Account {
  if (topic === 'v1/gateway/telemetry') return modemGateway;
  if (/^(?:application|v3)\//.test(topic)) return networkServer;
  return /^(?:up|v1)\//.test(topic) ? modem : bridge;
}
