/**
 * How fast values are judged and payloads decoded: one core, quality control as the derive worker
 * has it, and built-in codecs on the payloads of their own examples.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { codecs } from '../decoders/registry.ts';
import type { Reading } from '../gateway/model/reading.ts';
import type { Unjudged } from '../gateway/pipeline/quality/judge.ts';
import { createLane, defaultLaneLimits } from '../gateway/pipeline/quality/lane.ts';

export interface QualityFigures {
  readonly name: string;
  readonly perSecond: number;
  readonly atLeast: number;
}

const judgedDevices = 5_000;
const judgedRounds = 30;
const decodedMs = 400;

export function qualityRates(): QualityFigures[] {
  return [...judgedRates(), ...decodedRates()];
}

/** Quantities that every default test is made for, and those that a town has most of. */
function judgedRates(): QualityFigures[] {
  return [
    judgedRate('every default test', ['air_temperature', 'relative_humidity', 'air_pressure']),
    judgedRate('a town’s mix', [
      'air_temperature',
      'pm2_5',
      'no2',
      'noise_level',
      'battery_voltage',
    ]),
  ];
}

function judgedRate(name: string, quantities: readonly string[]): QualityFigures {
  const lane = createLane({ limits: defaultLaneLimits, deviceOf: () => undefined });
  const verdicts: number[] = [];
  const amended: Reading[] = [];
  let judged = 0;
  let spentMs = 0;
  for (let round = 0; round < judgedRounds; round += 1) {
    const uplinks = uplinksOf(quantities, round);
    const startedAt = processorMs();
    for (const readings of uplinks) lane.judge(readings, undefined, verdicts, amended);
    // The first rounds fill the series and warm the code.
    if (round < judgedRounds / 3) continue;
    spentMs += processorMs() - startedAt;
    judged += uplinks.length * quantities.length;
  }
  return {
    name: `quality control, ${name}, readings per core`,
    perSecond: (judged / spentMs) * 1_000,
    atLeast: 200_000,
  };
}

function uplinksOf(quantities: readonly string[], round: number): Unjudged[][] {
  const time = Date.UTC(2026, 0, 1) + round * 600_000;
  return Array.from({ length: judgedDevices }, (_, device) =>
    quantities.map((quantity, place) => ({
      device: `sensor-${device}`,
      quantity,
      value: 20 + Math.sin(round / 10 + device) + place / 7,
      unit: '',
      time,
      receivedAt: time,
      quality: 2,
      vouchedBy: 'mic',
      seq: round * judgedDevices + device,
    })),
  );
}

/** The slowest and the middle one of the codecs, each on all of its good examples. */
function decodedRates(): QualityFigures[] {
  const rates = codecs.map((codec) => {
    const path = resolve('decoders', codec.name, 'examples.json');
    const examples: unknown = JSON.parse(readFileSync(path, 'utf8'));
    const inputs = Array.isArray(examples) ? examples.flatMap(inputOf) : [];
    return {
      name: codec.name,
      perSecond: rateOf(() => inputs.forEach(codec.decode), inputs.length),
    };
  });
  rates.sort((one, other) => one.perSecond - other.perSecond);
  const [slowest, middle] = [rates[0], rates[Math.floor(rates.length / 2)]];
  return [slowest, middle].flatMap((rate) =>
    rate === undefined
      ? []
      : [
          {
            name: `codec ${rate.name}, uplinks per core`,
            perSecond: rate.perSecond,
            atLeast: 500_000,
          },
        ],
  );
}

function inputOf(example: {
  readonly bytes: string;
  readonly fPort: number;
  readonly error?: string;
}) {
  const { bytes, fPort, error } = example;
  return error === undefined ? [{ bytes: Buffer.from(bytes, 'hex'), fPort }] : [];
}

function rateOf(work: () => void, uplinks: number): number {
  const run = (ms: number) => {
    const startedAt = processorMs();
    let rounds = 0;
    for (; processorMs() - startedAt < ms; rounds += 100) {
      for (let at = 0; at < 100; at += 1) work();
    }
    return (rounds * uplinks * 1_000) / (processorMs() - startedAt);
  };
  run(decodedMs / 4);
  return run(decodedMs);
}

/** Time on a processor, garbage collection included: what else runs does not count. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
