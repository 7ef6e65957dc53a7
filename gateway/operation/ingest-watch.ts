/** What is counted, logged and woken when a message has been written down, or could not be. */
import type { Ledger, Receipt } from '../ledger/ledger.ts';
import { createSampledWarning, type Log } from '../log.ts';
import type { Clock } from '../model/clock.ts';
import type { Fault } from '../model/fault.ts';
import type { IngestObserver } from '../pipeline/ingest.ts';
import type { Metrics } from './metrics.ts';
import { createSecurityWatch, type SecurityLimits } from './security-watch.ts';

export interface IngestWatch {
  readonly observer: IngestObserver;
  /**
   * Why nothing is acknowledged at present; undefined while the ledger writes. Whoever asks while
   * it does not makes it try again: a gateway that is taken out of use until it is ready gets no
   * message that could show it.
   */
  ledgerFault(): string | undefined;
}

interface WatchParts {
  readonly metrics: Metrics;
  readonly log: Log;
  readonly clock: Clock;
  readonly written: IngestObserver['written'];
  /** Writes an alarm down; see security-watch.ts. */
  readonly raise: Ledger['accept'];
  /** What raises one. */
  readonly security: SecurityLimits;
  /** Rejects while nothing can be written. */
  readonly probe: () => Promise<void>;
  /** Something new is in the ledger. */
  readonly onWritten: () => void;
}

export function createIngestWatch({ metrics, log, clock, ...parts }: WatchParts): IngestWatch {
  const warn = createSampledWarning(log, clock.now);
  const security = createSecurityWatch({
    ...{ metrics, log, clock, raise: parts.raise, limits: parts.security },
  });
  let ledgerFault: string | undefined;
  let isProbing = false;

  /** A fault that comes while it is under way stays. */
  function probe(found: string): void {
    if (isProbing) return;
    isProbing = true;
    const recover = () => {
      if (ledgerFault === found) ledgerFault = undefined;
    };
    const settle = () => {
      isProbing = false;
    };
    parts.probe().then(recover, settle).then(settle, settle);
  }

  function item(source: string, receipt: Receipt, problem?: Fault): void {
    metrics.uplink(source, receipt.outcome);
    const code = problem?.code ?? (receipt.outcome === 'replayed' ? 'FRAME_REPLAYED' : undefined);
    if (code === undefined) return;
    metrics.fault(code);
    const fields = { event: 'fault', code, source, seq: receipt.seq, detail: problem?.detail };
    warn(`${source}:${code}`, fields, 'written down with a fault');
  }

  return {
    ledgerFault: () => {
      if (ledgerFault !== undefined) probe(ledgerFault);
      return ledgerFault;
    },
    observer: {
      written(source, delivery, receipts) {
        parts.written(source, delivery, receipts);
        security.note(delivery, receipts);
      },
      item,
      acknowledged(seconds) {
        ledgerFault = undefined;
        metrics.ackSeconds(seconds);
        parts.onWritten();
      },
      unavailable(reason) {
        ledgerFault = reason;
        metrics.fault('LEDGER_UNAVAILABLE');
        warn('ledger', { event: 'ledger-unavailable', reason }, 'nothing is acknowledged');
      },
    },
  };
}
