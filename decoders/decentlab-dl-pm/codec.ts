/** Decentlab DL-PM: particulate matter, and the air that it was measured in. */
import type { ByteReader, Collector } from '../bytes.ts';
import { defineCodec } from '../bytes.ts';
import { readBlocks } from './blocks.ts';

export const decentlabDlPm = defineCodec({
  name: 'decentlab-dl-pm',
  title: 'Decentlab DL-PM',
  source: "The maker's decentlab-decoders (2025-11-14), DL-PM; its data sheet was not at hand",
  read: (bytes, into) =>
    readBlocks(bytes, into, [addBattery, addParticles, addClimate, addPressure]),
});

function addBattery(bytes: ByteReader, into: Collector): void {
  into.add('battery_voltage', bytes.u16() / 1000);
}

/** Masses; the numbers of particles behind them have no quantity of their own and are read over. */
function addParticles(bytes: ByteReader, into: Collector): void {
  for (const size of ['pm1', 'pm2_5', 'pm4', 'pm10']) into.add(size, bytes.u16() / 10);
  bytes.skip(12);
}

/** The sensor's own scales: -46.85 to 128.87 Cel, -6 to 119 %. Wet air reads a little over 100 %. */
function addClimate(bytes: ByteReader, into: Collector): void {
  into.add('air_temperature', (175.72 * bytes.u16()) / 65_536 - 46.85);
  into.add('relative_humidity', Math.min(100, (125 * bytes.u16()) / 65_536 - 6));
}

/** Steps of 2 Pa. */
function addPressure(bytes: ByteReader, into: Collector): void {
  into.add('air_pressure', bytes.u16() / 50);
}
