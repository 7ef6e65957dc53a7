/** What the demonstration tells people: its progress, its summary, and whether it went well. */
import type { FleetTold } from './demo-fleet.ts';
import { missingFrom, type Stored } from './gateway-metrics.ts';
import type { CityProgress } from './run.ts';

export interface DemoOutcome {
  readonly progress: CityProgress;
  /** Absent when nobody joins. */
  readonly fleet?: FleetTold;
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
  if (outcome.fleet !== undefined) lines.push(fleetText(outcome.fleet));
  if (stored !== undefined) {
    lines.push(`Ledger:   ${countsText(stored.uplinks)}`, `Store:    ${stored.points} points`);
    if (Object.keys(stored.faults).length > 0) {
      lines.push(`Faults:   ${countsText(stored.faults)}`);
    }
  }
  lines.push(`Live:     ${live.shown} readings shown in ${live.series} series`);
  return [...lines, ...live.faults];
}

function fleetText({ devices, progress: { counts }, uplinksAcknowledged }: FleetTold): string {
  const { joins, heard, copies, adrMoves, confirmed, confirmedAcknowledged } = counts;
  return (
    `Joining:  ${joins} joins of ${devices} devices, ${heard} frames heard in ${copies} copies,` +
    ` ${uplinksAcknowledged} uplinks acknowledged, ${adrMoves} moves by ADR,` +
    ` ${confirmedAcknowledged} of ${confirmed} confirmed`
  );
}

/** What the gateway has acknowledged, and so owes. */
export function uplinksOwed({ progress, fleet }: Pick<DemoOutcome, 'progress' | 'fleet'>): number {
  return progress.uplinksAcknowledged + (fleet?.uplinksAcknowledged ?? 0);
}

/** Why the run is a failure, in words; empty when everything acknowledged is stored. */
export function failuresOf(outcome: DemoOutcome): string[] {
  const { progress, stored, gatewayFault } = outcome;
  if (gatewayFault !== undefined) return [gatewayFault];
  if (stored === undefined) return ['the gateway could not be asked what it has stored'];
  if (progress.uplinksAcknowledged === 0) return ['no uplink was acknowledged'];
  return missingFrom(stored, uplinksOwed(outcome));
}

function countsText(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}
