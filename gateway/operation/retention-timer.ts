/** Removes what is older or larger than the configuration keeps, never past the slowest reader. */
import type { Config } from '../../config/schema.ts';
import type { CatalogueReader } from '../ledger/catalogue.ts';
import type { Ledger, LedgerReader } from '../ledger/ledger.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../model/clock.ts';

const intervalMs = 60_000;
const dayMs = 86_400_000;

export interface RetentionParts {
  readonly ledger: Pick<Ledger, 'retain'>;
  readonly reader: Pick<LedgerReader, 'tail'>;
  /** Told the oldest seq that is left. */
  readonly onRemoved: (tail: number) => void;
  readonly catalogue: Pick<CatalogueReader, 'position'>;
  readonly config: Pick<Config['ledger'], 'keepDays' | 'sizeBytesMax'>;
  readonly clock: Clock;
  readonly log: Log;
}

export function startRetention(parts: RetentionParts): { stop(): void } {
  const { ledger, catalogue, config, clock, log } = parts;
  let isBusy = false;

  async function run(): Promise<void> {
    if (isBusy) return;
    isBusy = true;
    try {
      const removed = await ledger.retain({
        receivedBefore: clock.now() - config.keepDays * dayMs,
        sizeBytesMax: config.sizeBytesMax,
        keepAfter: Math.min(catalogue.position('live'), catalogue.position('store')),
      });
      if (removed === 0) return;
      parts.onRemoved(parts.reader.tail());
      log.info({ event: 'retention', removed }, 'old ledger entries removed');
    } catch (error) {
      log.error({ event: 'retention-failed', error: String(error) }, 'retention failed');
    } finally {
      isBusy = false;
    }
  }

  const timer = setInterval(run, intervalMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
