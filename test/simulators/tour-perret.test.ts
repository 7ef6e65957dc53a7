/** The real data set becomes bytes again, exactly. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { createPayloadCrypt } from '../../simulators/lorawan/data-frame.ts';
import {
  emsPayloadLength,
  encodeEms,
  parseTourPerret,
  tourPerretDevEui,
  tourPerretFrames,
} from '../../simulators/tour-perret.ts';

const file = new URL('../fixtures/lorawan-tour-perret/frames.csv.gz', import.meta.url);
const csv = gunzipSync(readFileSync(file)).toString();
const frames = [...tourPerretFrames(csv, 'test')];

describe('Tour Perret frames', () => {
  it('are made for every row with values', () => {
    const rows = [...parseTourPerret(csv)];
    expect(rows).toHaveLength(6_000);
    // One row is the settings that the sensor sends after a join, one lacks two of its values.
    expect(frames).toHaveLength(5_998);
  });

  it('have the payload size of the data set', () => {
    const wrong = frames.filter(({ row, frmPayload }) => frmPayload.length !== row.payloadSize);
    expect(wrong).toEqual([]);
    expect(frames[0]?.frmPayload).toHaveLength(emsPayloadLength);
  });

  it('carry the first row as these bytes', () => {
    expect(frames[0]?.frmPayload.toString('hex')).toBe(
      '010046025303' + '3b0ffd' + '070e20' + '0b00000000' + '0d00' + '0f00' + '1200',
    );
  });

  it('write temperatures below zero and backward acceleration with their sign', () => {
    const bytes = encodeEms({
      temperature: -3.2,
      humidity: 97,
      vdd: 3600,
      accelerationMotion: 255,
      x: -77,
      y: -37,
      z: 16,
    });
    expect(bytes.toString('hex')).toBe('01ffe0026103b3db10070e100b000000000d000fff1200');
  });

  it('repeat a retransmitted frame byte for byte, with the reception of its own', () => {
    const repeated = frames.filter(({ row }) => row.fCnt === 78 && row.time < 1_680_000_000_000);
    expect(repeated).toHaveLength(3);
    expect(new Set(repeated.map(({ phyPayload }) => phyPayload.toString('hex'))).size).toBe(1);
    expect(new Set(repeated.map(({ payload }) => payload.toString())).size).toBe(3);
  });

  it('decrypt to their payload with the session of their own join', () => {
    const sessions = new Set(frames.map(({ session }) => session.devAddr));
    expect(sessions.size).toBe(2);
    expect(tourPerretDevEui).toMatch(/^02f1e1d5[0-9a-f]{8}$/);
    for (const { row, session, phyPayload, frmPayload } of [frames[0], frames.at(-1)].filter(
      (frame) => frame !== undefined,
    )) {
      const devAddr = phyPayload.subarray(1, 5);
      const clear = createPayloadCrypt(session.appSKey)(
        { direction: 'up', devAddr, fCnt: row.fCnt },
        phyPayload.subarray(9, -4),
      );
      expect(clear).toEqual(frmPayload);
    }
  });

  it('travel in gateway bridge envelopes with the signal of the data set', () => {
    const { topic, payload } = frames[0] ?? { topic: '', payload: Buffer.alloc(0) };
    const body = JSON.parse(payload.toString());
    expect(topic).toBe('eu868/gateway/02f1e1d070657272/event/up');
    expect(body.txInfo.frequency).toBe(868_300_000);
    expect(body.txInfo.modulation.lora.spreadingFactor).toBe(12);
    expect(body.rxInfo).toMatchObject({
      rssi: -111,
      snr: -3.8,
      gwTime: '2023-01-04T21:31:22.661Z',
    });
  });

  it('are the same bytes for the same seed', () => {
    const someRows = csv.split('\n').slice(0, 200).join('\n');
    const digest = (seed: string): string => {
      const hash = createHash('sha256');
      for (const { phyPayload } of tourPerretFrames(someRows, seed)) hash.update(phyPayload);
      return hash.digest('hex');
    };
    expect(digest('a')).toBe(digest('a'));
    expect(digest('a')).not.toBe(digest('b'));
  });

  it('are refused from another table', () => {
    expect(() => [...parseTourPerret('time,value\n2023-01-01,1\n')]).toThrow('not the Tour Perret');
  });
});
