/** MAC commands in clear: those of FOpts, or of a payload on FPort 0. */
import type { Measurement } from '../model/uplink.ts';
import { downlinkCommands, type MacValue, uplinkCommands } from './mac-command-table.ts';

export interface MacCommand {
  /** The specification's name; `Proprietary` and `Unknown` for what it does not name. */
  readonly name: string;
  readonly cid: number;
  readonly fields: Readonly<Record<string, MacValue>>;
}

/**
 * Total. A command says nothing of its length, so that after one that is not known, or that is cut
 * off, the rest cannot be told apart: it is the field `bytes` of the last one, in hex.
 */
export function parseMacCommands(bytes: Buffer, direction: 'up' | 'down'): readonly MacCommand[] {
  const layouts = direction === 'up' ? uplinkCommands : downlinkCommands;
  const commands: MacCommand[] = [];
  let at = 0;
  while (at < bytes.length) {
    const cid = bytes.readUInt8(at);
    const layout = layouts.get(cid);
    const end = at + 1 + (layout?.bytes ?? 0);
    if (layout === undefined || end > bytes.length) {
      const name = layout?.name ?? (cid >= 0x80 ? 'Proprietary' : 'Unknown');
      const rest = bytes.toString('hex', at + 1);
      return [...commands, { name, cid, fields: rest === '' ? {} : { bytes: rest } }];
    }
    const fields = layout.read?.(bytes.subarray(at + 1, end)) ?? {};
    commands.push({ name: layout.name, cid, fields });
    at = end;
  }
  return commands;
}

/** What a device tells of itself in its commands: the last word counts. */
export function statusOf(commands: readonly MacCommand[]): readonly Measurement[] {
  const status = commands.findLast(({ name }) => name === 'DevStatusAns');
  const { margin, batteryPercent } = status?.fields ?? {};
  return [
    ...(margin === undefined ? [] : [{ name: 'link_margin', value: margin, unit: 'dB' }]),
    ...(batteryPercent === undefined
      ? []
      : [{ name: 'battery_level', value: batteryPercent, unit: '%' }]),
  ];
}
