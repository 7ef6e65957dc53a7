/**
 * The settings that a running gateway takes over on SIGHUP; all others are read once, at the start.
 */
const tlsFiles = ['certFile', 'keyFile', 'caFile'];

export const reloadable: readonly string[] = [
  ...['clients', 'devices', 'tokenIssuers', 'anonymous', 'anonymousProfile'].map(inMqtt),
  ...['tls.certFile', 'tls.keyFile', 'tls.caFile', 'tls.crlFile'].map(inMqtt),
  'ingest.webhooks.sources',
  'ingest.coap.accounts',
  ...tlsFiles.map((file) => `ingest.basicStation.tls.${file}`),
  ...tlsFiles.map((file) => `ingest.remoteBrokers[].tls.${file}`),
];

function inMqtt(key: string): string {
  return `mqtt.${key}`;
}
