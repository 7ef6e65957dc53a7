/** What the ingest thread does with the derive worker's news: the live picture, metrics, health. */
import type { Hub } from '../live/hub.ts';
import { createSampledWarning, type Log } from '../log.ts';
import type { Clock } from '../model/clock.ts';
import { type FaultCode, faultSentences } from '../model/fault.ts';
import type { Metrics } from '../operation/metrics.ts';
import { unpackRows } from '../pipeline/packed-rows.ts';
import type { FeedState, FromWorker, SeriesTuple } from '../pipeline/worker-messages.ts';

export interface WorkerListener {
  take(message: FromWorker): void;
  observe(metrics: Metrics): void;
  cursors(): Readonly<Record<string, number>>;
  /** Why and since when the store does not take what it is given; undefined while it does. */
  feedProblem(): FeedProblem | undefined;
}

interface FeedProblem {
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly since: number;
}

interface ListenerParts {
  readonly hub: Hub;
  readonly log: Log;
  readonly clock: Clock;
  readonly store: string;
  /** How far the readers were when the last process stopped. */
  readonly cursors: { readonly live: number; readonly store: number };
}

export function createWorkerListener(parts: ListenerParts): WorkerListener {
  const { hub, log, clock, store } = parts;
  const warn = createSampledWarning(log, clock.now);
  let metrics: Metrics | undefined;
  let feed: FeedState | undefined;
  let { live, store: stored } = parts.cursors;

  function onProgress(message: Extract<FromWorker, { kind: 'progress' }>): void {
    live = message.live;
    metrics?.deriveSeconds(message.deriveSeconds);
    for (const [finding, count] of Object.entries(message.findings ?? {})) {
      metrics?.qualityFinding(finding, count);
    }
    metrics?.unmappedValues(message.unmapped ?? 0);
    for (const [code, count] of Object.entries(message.faults)) {
      if (!isFaultCode(code)) continue;
      for (let at = 0; at < count; at += 1) metrics?.fault(code);
      warn(
        `derive:${code}`,
        { event: 'fault', code, source: 'derive', count },
        'could not be derived',
      );
    }
  }

  function onFeed(state: FeedState): void {
    feed = state;
    if (state.state === 'ok') log.info({ event: 'store-up', store }, 'the store answers');
    else {
      metrics?.storeError();
      log.warn({ event: 'store-down', store, reason: state.reason }, 'the store does not answer');
    }
  }

  return {
    observe(given) {
      metrics = given;
    },
    take(message) {
      switch (message.kind) {
        case 'live':
          hub.apply({ series: message.series.map(identityOf), rows: unpackRows(message.rows) });
          break;
        case 'progress':
          onProgress(message);
          break;
        case 'stored':
          stored = message.seq;
          metrics?.storePoints(store, message.readings);
          break;
        case 'feed':
          onFeed(message.feed);
          break;
        case 'codec-problem':
          warn(
            message.detail,
            { event: 'codec-problem', ...message },
            'a codec script is at fault',
          );
          break;
        case 'rejected':
          metrics?.storeError();
          warn(
            message.reason,
            { event: 'store-rejected', ...message },
            'the store cannot hold these',
          );
      }
    },
    cursors: () => ({ live, store: stored }),
    feedProblem() {
      if (feed?.state !== 'down') return undefined;
      return { reason: feed.reason ?? 'down', since: feed.since };
    },
  };
}

function identityOf([device, quantity, channel, unit, area]: SeriesTuple) {
  return { device, quantity, channel, unit, ...(area === '' ? {} : { area }) };
}

function isFaultCode(code: string): code is FaultCode {
  return Object.hasOwn(faultSentences, code);
}
