/**
 * The commands by name. What one stands on is read only when it is named: all together take a
 * second, which every `--help` would wait for.
 */
import type { Command } from 'commander';

interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Command>;
}

export const commandEntries: readonly CommandEntry[] = [
  {
    name: 'serve',
    summary: 'run the gateway',
    load: async () => (await import('./serve.ts')).serveCommand(),
  },
  {
    name: 'config',
    summary: 'print or check the configuration',
    load: async () => (await import('./config.ts')).configCommand(),
  },
  {
    name: 'backup',
    summary: 'copy the data directory, while the gateway runs or stands, and check the copy',
    load: async () => (await import('./backup.ts')).backupCommand(),
  },
  {
    name: 'codecs',
    summary: 'payload decoders',
    load: async () => (await import('./codecs.ts')).codecsCommand(),
  },
  {
    name: 'decode',
    summary: 'decode a payload with a built-in codec',
    load: async () => (await import('./decode.ts')).decodeCommand(),
  },
  {
    name: 'derive',
    summary: 'derive kept uplinks again after a mend, and rewrite the same points',
    load: async () => (await import('./derive.ts')).deriveCommand(),
  },
  {
    name: 'frame',
    summary: 'print a LoRaWAN frame; with keys, check its MIC and open it',
    load: async () => (await import('./frame.ts')).frameCommand(),
  },
  {
    name: 'keys',
    summary: 'device keys at rest, and for exchange',
    load: async () => (await import('./keys.ts')).keysCommand(),
  },
  {
    name: 'models',
    summary: 'device models: what devices of one make have in common',
    load: async () => (await import('./models.ts')).modelsCommand(),
  },
  {
    name: 'record',
    summary: 'record messages into a capture file',
    load: async () => (await import('./record.ts')).recordCommand(),
  },
  {
    name: 'replay',
    summary: 'send a capture again over the wire',
    load: async () => (await import('./replay.ts')).replayCommand(),
  },
  {
    name: 'simulate',
    summary: 'send a simulated city, a bad day, a LoRaWAN fleet or a load over the wire',
    load: async () => (await import('./simulate.ts')).simulateCommand(),
  },
  {
    name: 'devices',
    summary: 'devices and their MQTT credentials',
    load: async () => (await import('./devices.ts')).devicesCommand(),
  },
  {
    name: 'token',
    summary: 'bearer tokens for machines',
    load: async () => (await import('./tokens.ts')).tokenCommand(),
  },
  {
    name: 'hash-password',
    summary: 'read a password from standard input and print its hash for mqtt.clients',
    load: async () => (await import('./hash-password.ts')).hashPasswordCommand(),
  },
  {
    name: 'unmapped',
    summary: 'fields that came without a place in the vocabulary, the most frequent first',
    load: async () => (await import('./models.ts')).unmappedCommand(),
  },
];
