import { describe, expect, it } from '@jest/globals';
import { rememberChannel, SessionCipherCache } from '../../gateway/lorawan/session-ciphers.ts';
import { sessionOfVector, vectorOf } from './vectors.ts';

const sessionNamed = (deviceId: string) => sessionOfVector(vectorOf('lp-test'), deviceId);

describe('Session ciphers', () => {
  it('are opened once for a session that is heard often', () => {
    const cache = new SessionCipherCache(4);
    const often = sessionNamed('often');
    const first = cache.of(often);
    for (let index = 0; index < 20; index += 1) {
      cache.of(sessionNamed(`once-${index}`));
      expect(cache.of(often)).toBe(first);
    }
  });

  it('stay within their limit and are opened again after they went', () => {
    const cache = new SessionCipherCache(4);
    const early = sessionNamed('early');
    const first = cache.of(early);
    for (let index = 0; index < 20; index += 1) {
      cache.of(sessionNamed(`other-${index}`));
      expect(cache.size).toBeLessThanOrEqual(4);
    }
    expect(cache.of(early)).not.toBe(first);
  });

  it('share one MIC key in LoRaWAN 1.0 and have two in 1.1', () => {
    const cache = new SessionCipherCache(4);
    const in10 = cache.of(sessionNamed('1.0'));
    const in11 = cache.of(sessionOfVector(vectorOf('br11-ack')));
    expect(in10.sNwkSIntKey).toBe(in10.fNwkSIntKey);
    expect(in11.sNwkSIntKey).not.toBe(in11.fNwkSIntKey);
  });

  it('remember no more channels than a region has', () => {
    const ciphers = new SessionCipherCache(4).of(sessionNamed('hopping'));
    for (let index = 0; index < 200; index += 1) {
      rememberChannel(ciphers, 868_000_000 + index, { txCh: index });
      expect(ciphers.channels.size).toBeLessThanOrEqual(96);
    }
  });
});
