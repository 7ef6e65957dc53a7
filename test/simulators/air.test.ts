/** Frames that meet on the air. */
import { describe, expect, it } from '@jest/globals';
import { createAir, type Frame } from '../../simulators/lorawan/air.ts';
import { airtimeMs, symbolMs } from '../../simulators/lorawan/airtime.ts';
import type { Path } from '../../simulators/lorawan/propagation.ts';

const location = { latitude: 40.4, longitude: 49.8 };
const near = { id: '02f1e1d000000001', location };
const far = { id: '02f1e1d000000002', location };
/** Fading moves a signal by up to 8 dB either way: what is to differ differs by more. */
const strong = -60;
const weak = -90;
const path = (rssi: number, gateway = near): Path => ({ gateway, clockErrorMs: 0, rssi });

let senders = 0;
function frame(paths: readonly Path[], change: Partial<Frame> = {}): Frame {
  senders += 1;
  const { start = 10_000, spreadingFactor = 9 } = change;
  const end = start + airtimeMs(30, spreadingFactor);
  return { channel: 0, spreadingFactor, start, end, paths, key: senders, step: 0, ...change };
}

function heard(one: Frame, ...others: readonly Frame[]): readonly string[] | string {
  const air = createAir();
  for (const each of [...others, one].sort((a, b) => a.start - b.start)) air.begin(each);
  const { receptions, loss } = air.fateOf(one);
  return loss ?? receptions.map(({ gateway }) => gateway.id);
}

describe('The air', () => {
  it('lets every gateway in reach hear a frame that is alone', () => {
    expect(heard(frame([path(strong), path(weak, far)]))).toEqual([near.id, far.id]);
    expect(heard(frame([path(-150)]))).toBe('too-weak');
  });

  it('gives the frame that is stronger by the threshold to the gateway, and no other', () => {
    const [loud, quiet] = [frame([path(strong)]), frame([path(weak)])];
    expect(heard(loud, quiet)).toEqual([near.id]);
    expect(heard(quiet, loud)).toBe('collision');
  });

  it('loses both of two that are equally strong', () => {
    // Without fading between them: the same sender's key and step.
    const [one, other] = [frame([path(weak)], { key: 7 }), frame([path(weak)], { key: 7 })];
    expect([heard(one, other), heard(other, one)]).toEqual(['collision', 'collision']);
  });

  it('lets each gateway keep the one that is near to it', () => {
    const here = frame([path(strong), path(weak, far)]);
    const there = frame([path(weak), path(strong, far)]);
    expect([heard(here, there), heard(there, here)]).toEqual([[near.id], [far.id]]);
  });

  it('lets frames of other channels and spreading factors pass', () => {
    const quiet = frame([path(weak)]);
    expect(heard(quiet, frame([path(strong)], { channel: 1 }))).toEqual([near.id]);
    expect(heard(quiet, frame([path(strong)], { spreadingFactor: 8 }))).toEqual([near.id]);
  });

  it('spares a frame of which only the first preamble symbols are drowned', () => {
    const quiet = frame([path(weak)]);
    const start = quiet.start - 100;
    const ending = (symbols: number) =>
      frame([path(strong)], { start, end: quiet.start + symbols * symbolMs(9) });
    expect(heard(quiet, ending(3))).toEqual([near.id]);
    expect(heard(quiet, ending(3.5))).toBe('collision');
  });

  it('leaves a gateway deaf while it sends, and with eight frames at once', () => {
    const one = frame([path(strong)]);
    const air = createAir();
    air.begin(one);
    air.transmit(near.id, one.end - 10, one.end + 500);
    expect(air.fateOf(one)).toEqual({ receptions: [], loss: 'gateway-busy' });
    const crowd = Array.from({ length: 8 }, (_, index) =>
      frame([path(strong)], {
        channel: 1 + (index % 4),
        spreadingFactor: 9 + (index >> 2),
        start: 9_900,
      }),
    );
    expect(heard(one, ...crowd)).toBe('gateway-busy');
    expect(heard(one, ...crowd.slice(1))).toEqual([near.id]);
  });
});
