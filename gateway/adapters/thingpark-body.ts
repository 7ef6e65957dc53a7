/** A ThingPark body, JSON or XML, opened as one document; its root key tells what it is. */
import type { Fault } from '../model/fault.ts';
import { openObject, type Place } from './document.ts';
import { openXml } from './thingpark-xml.ts';

const rootPrefix = 'DevEUI_';

/** XML begins with a tag, JSON never does. */
export function openBody(body: Buffer): Place | Fault {
  return /^(?:\xef\xbb\xbf)?\s*</.test(body.toString('latin1', 0, 64))
    ? openXml(body)
    : openObject(body);
}

/** `DevEUI_uplink`, `DevEUI_downlink_Sent` …; undefined for the decoded object alone. */
export function rootOf({ object }: Place): string | undefined {
  return Object.keys(object).find((key) => key.startsWith(rootPrefix));
}

/** The root without what all of them begin with: `uplink`, `downlink_Sent` … */
export function kindOf(root: string): string {
  return root.slice(rootPrefix.length);
}
