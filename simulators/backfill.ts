/** Sends a history to a gateway over MQTT and tells how far it is. */
import { type HistoryPlan, historyMessages } from './history.ts';
import { type Account, connectPublisher } from './mqtt-publisher.ts';

export interface Backfill extends HistoryPlan {
  /** `mqtt://host:port` */
  readonly url: string;
  readonly account: Account;
  readonly onProgress?: (result: BackfillResult) => void;
  readonly signal?: AbortSignal;
}

export interface BackfillResult {
  readonly messages: number;
  readonly readings: number;
  readonly acknowledged: number;
  readonly failed: number;
}

const closeGraceMs = 30_000;
/** Messages between two words of progress. */
const progressEvery = 100;

/** Resolves when everything is acknowledged or given up. */
export async function backfillHistory(backfill: Backfill): Promise<BackfillResult> {
  const { url, account, onProgress, signal } = backfill;
  const publisher = await connectPublisher({ url, account, clientId: `history-${process.pid}` });
  const result = { messages: 0, readings: 0, acknowledged: 0, failed: 0 };
  const settled = (error?: Error): void => {
    if (error === undefined) result.acknowledged += 1;
    else result.failed += 1;
  };
  try {
    for (const { topic, payload, readings } of historyMessages(backfill)) {
      if (signal?.aborted === true) break;
      await publisher.publish(topic, payload, settled);
      result.messages += 1;
      result.readings += readings;
      if (result.messages % progressEvery === 0) onProgress?.(result);
    }
  } finally {
    await publisher.close(closeGraceMs);
  }
  return result;
}
