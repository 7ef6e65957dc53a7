/** What the demonstration tells people: its progress, its summary, and whether it went well. */
import { missingFrom, type Stored } from './gateway-metrics.ts';
import type { CityProgress } from './run.ts';

export interface DemoOutcome {
  readonly progress: CityProgress;
  readonly live: {
    readonly shown: number;
    readonly series: number;
    readonly faults: readonly string[];
  };
  /** Absent when the gateway could not be asked any more. */
  readonly stored?: Stored;
  readonly gatewayFault?: string;
}

export function progressText(progress: CityProgress, shown: number): string {
  const { uplinksSent, backfillTotal, messagesSent, messagesAcknowledged } = progress;
  const phase =
    progress.phase === 'backfill'
      ? `history ${uplinksSent}/${backfillTotal} uplinks`
      : `live ${uplinksSent} uplinks`;
  const messages = `${messagesSent} messages sent · ${messagesAcknowledged} acknowledged`;
  return `${phase} · ${messages} · ${shown} readings shown live`;
}

export function summaryText(outcome: DemoOutcome): string[] {
  const { progress, live, stored } = outcome;
  const lines = [
    `Uplinks:  ${progress.uplinksSent} sent, ${progress.uplinksAcknowledged} acknowledged` +
      ` (${progress.messagesSent} messages with the copies of several gateways,` +
      ` ${progress.messagesAcknowledged} acknowledged)`,
  ];
  if (stored !== undefined) {
    lines.push(`Ledger:   ${countsText(stored.uplinks)}`, `Store:    ${stored.points} points`);
    if (Object.keys(stored.faults).length > 0) {
      lines.push(`Faults:   ${countsText(stored.faults)}`);
    }
  }
  lines.push(`Live:     ${live.shown} readings shown in ${live.series} series`);
  return [...lines, ...live.faults];
}

/** Why the run is a failure, in words; empty when everything acknowledged is stored. */
export function failuresOf(outcome: DemoOutcome): string[] {
  const { progress, stored, gatewayFault } = outcome;
  if (gatewayFault !== undefined) return [gatewayFault];
  if (stored === undefined) return ['the gateway could not be asked what it has stored'];
  if (progress.uplinksAcknowledged === 0) return ['no uplink was acknowledged'];
  return missingFrom(stored, progress.uplinksAcknowledged);
}

function countsText(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}
