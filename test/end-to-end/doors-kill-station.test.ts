/**
 * Basics Station acknowledges nothing, and a station does not send again what was under way when
 * its connection broke. So the oracle is what the gateway itself has shown of a session: that much
 * is there after the kill, and what is there is the beginning of what was sent, without a gap.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { UplinkJson } from '../../dashboard/protocol-uplinks.ts';
import { type GatewayProcess, startGatewayProcess, until } from '../setup/gateway-process.ts';
import {
  config,
  frameOf,
  heardByStation,
  joinAsStation,
  temperature,
  updfOf,
} from './field-senders.ts';
import { uplinksAfter } from './gateway-api.ts';

const kills = 4;
/** Each start takes seconds where many tests run at once. */
const timeoutMs = 120_000;

describe('A station at a gateway that is killed in the middle of its bursts', () => {
  let gateway: GatewayProcess;

  beforeAll(async () => {
    gateway = await startGatewayProcess({ config });
  });
  afterAll(() => gateway.stop());

  async function written(): Promise<UplinkJson[]> {
    const entries = await uplinksAfter(gateway, 0);
    return entries.filter(({ device }) => device === heardByStation.deviceId);
  }

  it(
    'loses nothing that was shown, keeps the order and goes on where it was',
    async () => {
      const counters = (entries: readonly UplinkJson[]) => entries.map(({ fCnt }) => fCnt);
      const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
      const burst = 40;
      const shownAtLeast = (count: number) =>
        until('it is written', async () => (await written()).length >= count);
      let kept = 0;
      for (let kill = 0; kill < kills; kill += 1) {
        const station = await joinAsStation(gateway);
        const send = (from: number) => {
          for (const fCnt of upTo(burst)) {
            station.send(updfOf(frameOf(from + fCnt, temperature(fCnt), heardByStation)));
          }
        };
        send(kept);
        await shownAtLeast(kept + burst / 2);
        const shown = (await written()).length;
        send(kept + burst);
        const { directory } = gateway;
        await gateway.kill('SIGKILL');
        gateway = await startGatewayProcess({ config, directory });
        const entries = await written();
        expect(counters(entries)).toEqual(upTo(entries.length));
        expect(entries.length).toBeGreaterThanOrEqual(shown);
        kept = entries.length;
      }
      const station = await joinAsStation(gateway);
      station.send(updfOf(frameOf(kept + 1, temperature(1), heardByStation)));
      await shownAtLeast(kept + 1);
      station.socket.close();
      const entries = await written();
      expect(counters(entries)).toEqual(upTo(kept + 1));
      expect(new Set(entries.map(({ outcome }) => outcome))).toEqual(new Set(['accepted']));
    },
    timeoutMs,
  );
});
