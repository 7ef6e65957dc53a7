/**
 * What the topic or the path of a ChirpStack event says: a protobuf body does not name its type.
 */
import { parseEui64 } from '../../model/eui.ts';

export interface EventRoute {
  readonly devEui?: string | undefined;
  readonly event?: string | undefined;
}

/**
 * The default topic ends in `device/<devEui>/event/<event>`. A topic of another template, or the
 * path of a webhook with `?event=up`, may still name the event last.
 */
export function readEventRoute(route: string): EventRoute {
  const [device, devEui, word, event] = route.split('/').slice(-4);
  if (device === 'device' && word === 'event' && devEui !== undefined) {
    return { devEui: parseEui64(devEui) ?? devEui, event };
  }
  return { event: /(?:^|[/=])([a-z]+)$/.exec(route)?.[1] };
}
