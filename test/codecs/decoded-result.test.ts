/** From the text of a call to values of the vocabulary. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodedOf } from '../../gateway/codecs/decoded-result.ts';
import { normalisedValues } from '../../gateway/codecs/normalised-fields.ts';

const decode = (result: object) => decodedOf(`v${JSON.stringify(result)}`);

describe('A script result', () => {
  it('becomes values with the warnings beside them', () => {
    expect(decode({ data: { TempC_SHT: 21.5, odd: 3 }, warnings: ['low'] })).toMatchObject({
      ok: true,
      values: [
        { quantity: 'air_temperature', value: 21.5 },
        { quantity: 'x_odd', value: 3 },
      ],
      warnings: ['low'],
    });
  });

  it('is an error in the codec’s own words', () => {
    expect(decodedOf('eframe too short')).toEqual({ ok: false, error: 'frame too short' });
    expect(decode({ errors: ['unknown port', { code: 3 }] })).toEqual({
      ok: false,
      error: 'unknown port; {"code":3}',
    });
    expect(decode({})).toEqual({ ok: false, error: 'returned no data' });
  });

  it('prefers normalised values and keeps what they do not cover', () => {
    const normalized = {
      data: { air: { temperature: 21.54, relativeHumidity: 40 }, battery: 3.1 },
    };
    expect(decode({ data: { temp: 21.5, hum: 40, mode: 2 }, normalized })).toMatchObject({
      ok: true,
      values: [
        { quantity: 'air_temperature', value: 21.54 },
        { quantity: 'relative_humidity', value: 40 },
        { quantity: 'battery_voltage', value: 3.1 },
        { quantity: 'x_mode', value: 2 },
      ],
    });
  });

  it('never throws on any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (data, normalized) => {
        expect(typeof decodedOf(`v${JSON.stringify({ data, normalized })}`).ok).toBe('boolean');
      }),
      { numRuns: 50 },
    );
  });
});

describe('Normalised fields', () => {
  it('come in the units of the vocabulary', () => {
    const values = normalisedValues({
      data: {
        soil: { ec: 0.5, pH: 7 },
        rain: { cumulative: 3 },
        metering: { water: { total: 1_500 } },
        action: { contactState: 'open', motion: { detected: true, count: 2 } },
        water: { temperature: { min: 4 } },
      },
    });
    expect(values.map(({ quantity }) => quantity)).toEqual([
      'soil_conductivity',
      'soil_ph',
      'rain_cumulative',
      'water_volume',
      'door',
      'motion',
      'motion_count',
      expect.stringMatching(/^(?:x_)?water_temperature/),
    ]);
    expect(values[4]).toEqual({ quantity: 'door', value: 'open' });
  });

  it('of one time become channels, and keep times of their own', () => {
    const at = '2026-06-01T00:00:00Z';
    expect(
      normalisedValues({
        data: [
          { soil: { moisture: 20 } },
          { soil: { moisture: 30 } },
          { time: at, soil: { moisture: 25 } },
        ],
      }),
    ).toEqual([
      { quantity: 'soil_moisture', value: 20 },
      { quantity: 'soil_moisture', value: 30, channel: '2' },
      { quantity: 'soil_moisture', value: 25, time: Date.parse(at) },
    ]);
  });

  it('are none where there is no list of measurements', () => {
    for (const given of [undefined, null, 1, {}, { data: null }, { data: [1] }]) {
      expect(normalisedValues(given)).toEqual([]);
    }
  });
});
