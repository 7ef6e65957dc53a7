/**
 * Remembers which messages have come, by sender and message id: a retransmission gets the answer of
 * the first once more, or none while that one is still on its way [RFC 7252, section 4.5].
 */
export interface CoapExchanges {
  /** The answer given before; `pending` while there is none; undefined for a message never seen. */
  find(key: string): Buffer | 'pending' | undefined;
  begin(key: string): void;
  answer(key: string, answer: Buffer): void;
}

/** EXCHANGE_LIFETIME with the default parameters of [RFC 7252, section 4.8.2]. */
const lifetimeMs = 247_000;
/** Above it the oldest is forgotten: its retransmission would be a message of its own. */
const exchangesMax = 50_000;

interface Exchange {
  readonly beganAtMs: number;
  answer: Buffer | 'pending';
}

export function createCoapExchanges(monotonicMs: () => number): CoapExchanges {
  const byKey = new Map<string, Exchange>();

  function forgetOld(): void {
    const nowMs = monotonicMs();
    for (const [key, { beganAtMs }] of byKey) {
      if (byKey.size <= exchangesMax && nowMs - beganAtMs < lifetimeMs) return;
      byKey.delete(key);
    }
  }

  return {
    find: (key) => {
      forgetOld();
      return byKey.get(key)?.answer;
    },
    begin: (key) => {
      byKey.set(key, { beganAtMs: monotonicMs(), answer: 'pending' });
    },
    answer: (key, answer) => {
      const exchange = byKey.get(key);
      if (exchange !== undefined) exchange.answer = answer;
    },
  };
}
