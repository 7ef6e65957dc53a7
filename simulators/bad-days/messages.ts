/** What happens to messages on their way on a bad day: lost, late, doubled, forged, sent again. */
import { changeFrames } from '../capture/frame-signing.ts';
import type { CapturedMessage } from '../capture/message.ts';
import { shiftMessage } from '../capture/time-shift.ts';
import { regionPrefix } from '../networks/gateway-bridge.ts';
import type { Scenario } from '../scenario.ts';
import type { Happening, Sent } from './values.ts';

const hourMs = 3_600_000;
/** Between the messages of a burst. */
const burstGapMs = 5;

export function changedMessages(sent: readonly Sent[], happening: Happening): Sent[] {
  const { event, from, to, placeOf } = happening;
  const isMeant = ({ device, message: { at } }: Sent): boolean =>
    at >= from && at < to && placeOf(device) !== undefined;
  let burst = 0;
  return sent.flatMap((one) => {
    if (event.what === 'station-dies') return isHeardByDead(one, happening, sent) ? [] : [one];
    if (!isMeant(one)) return [one];
    const { device, message } = one;
    switch (event.what) {
      case 'duplicates':
        return Array.from({ length: 1 + event.by }, () => one);
      case 'backhaul-cut':
        burst += 1;
        return [{ device, message: { ...message, at: to + burst * burstGapMs } }];
      case 'clock-wrong':
        return [
          { device, message: { ...shiftMessage(message, event.by * hourMs), at: message.at } },
        ];
      case 'replay-attack':
        return [one, { device, message: shiftMessage(message, event.by * hourMs) }];
      case 'forged-mics':
        return [{ device, message: changeFrames(message, flipMic) }];
      case 'format-change':
        return [{ device, message: changePayload(message) }];
      default:
        return [one];
    }
  });
}

/** The stations that hear most: with them gone, devices at the edge are not heard at all. */
function isHeardByDead(
  { message: { at, route } }: Sent,
  { event, from, to }: Happening,
  sent: readonly Sent[],
): boolean {
  if (at < from || at >= to || !route.includes('/gateway/')) return false;
  return busiestStations(sent, event.by).has(route);
}

const stationsKnown = new WeakMap<readonly Sent[], ReadonlySet<string>>();

function busiestStations(sent: readonly Sent[], count: number): ReadonlySet<string> {
  const known = stationsKnown.get(sent);
  if (known !== undefined) return known;
  const heard = new Map<string, number>();
  for (const { message } of sent) {
    const { route } = message;
    if (route.includes('/gateway/')) heard.set(route, (heard.get(route) ?? 0) + 1);
  }
  const sorted = [...heard].sort((left, right) => right[1] - left[1]);
  const busiest = new Set(sorted.slice(0, count).map(([route]) => route));
  stationsKnown.set(sent, busiest);
  return busiest;
}

function flipMic(frame: Buffer): Buffer {
  const forged = Buffer.from(frame);
  forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 0x01;
  return forged;
}

/** A new firmware's bytes, as network servers hand them on; no codec of today knows them. */
const unknownPayload = Buffer.from('ff00ff', 'hex').toString('base64');

function changePayload(message: CapturedMessage): CapturedMessage {
  const text = message.body.toString('utf8');
  const changed = text.replace(/"(data|frm_payload)":"[^"]*"/, `"$1":"${unknownPayload}"`);
  return { ...message, body: Buffer.from(changed) };
}

/** `by` requests of each device within the event: what a town does when the power is back. */
export function joinRequests(
  { event, from, to, placeOf }: Happening,
  { devices, gateways }: Scenario,
): CapturedMessage[] {
  const [gateway] = gateways;
  if (event.what !== 'join-storm' || gateway === undefined) return [];
  const joining = devices.filter(
    (device) => device.network !== 'modem' && placeOf(device) !== undefined,
  );
  return joining.flatMap((device, index) =>
    Array.from({ length: event.by }, (_, attempt) => {
      const at =
        from +
        Math.floor(
          ((to - from) * (attempt * joining.length + index)) / (event.by * joining.length),
        );
      const frame = joinRequest(device.id, attempt);
      const rxInfo = {
        gatewayId: gateway.id,
        gwTime: new Date(at).toISOString(),
        rssi: -100,
        snr: 2,
      };
      const body = Buffer.from(JSON.stringify({ phyPayload: frame.toString('base64'), rxInfo }));
      const route = `${regionPrefix}/gateway/${gateway.id}/event/up`;
      return { at, via: 'mqtt' as const, route, body, sender: 'gateway-bridge' };
    }),
  );
}

/** JoinEUI, DevEUI, DevNonce and a MIC of a key that the gateway does not have. */
function joinRequest(devEui: string, nonce: number): Buffer {
  const frame = Buffer.alloc(23);
  Buffer.from(devEui, 'hex').reverse().copy(frame, 9);
  frame.writeUInt16LE(nonce, 17);
  frame.writeUInt32LE(0x5eed0000 + nonce, 19);
  return frame;
}
