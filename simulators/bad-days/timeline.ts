/**
 * The messages of a bad day, in the order and at the times at which they reach the gateway. They
 * are captured messages, so a day can be played at any speed, recorded, filtered and mixed.
 */
import type { CapturedMessage } from '../capture/message.ts';
import { type CitySource, type Counters, createCitySources } from '../city-traffic.ts';
import { createCityWeather } from '../city-weather.ts';
import { createDeviceCurve } from '../device-values.ts';
import { type CityDevice, createScenario, type Scenario } from '../scenario.ts';
import type { BadDay, BadEvent } from './file.ts';
import { changedMessages, joinRequests } from './messages.ts';
import { adjustedValues, type Happening, type Sent } from './values.ts';

export interface BadDayPlan {
  readonly day: BadDay;
  readonly seed: string;
  /** Epoch milliseconds. */
  readonly start: number;
  /** Of an earlier day of this city, so that none is used twice. */
  readonly counters?: Counters;
}

export interface Timeline {
  readonly scenario: Scenario;
  readonly messages: readonly CapturedMessage[];
  /** The next counter of every device. */
  readonly counters: Counters;
}

/** The city of a day; the same seed and day give the same city. */
export function cityOf({ day, seed }: Pick<BadDayPlan, 'day' | 'seed'>): Scenario {
  return createScenario({ seed: `${seed} ${day.name}`, devices: day.devices });
}

export function createTimeline({ day, seed, start, counters = {} }: BadDayPlan): Timeline {
  const scenario = cityOf({ day, seed });
  const happenings = day.events.map((event) => happeningOf(event, scenario, start));
  const sources = createSources({ day, scenario, happenings }, counters);
  const sent = sentMessages({ day, sources, happenings, start });
  const messages = happenings.reduce(
    (before, happening) => changedMessages(before, happening),
    sent,
  );
  const joins = happenings.flatMap((happening) => joinRequests(happening, scenario));
  const all = [...messages.map(({ message }) => message), ...joins];
  return {
    ...{ scenario, messages: all.sort((left, right) => left.at - right.at) },
    counters: Object.fromEntries(sources.map(({ device, nextFCnt }) => [device.id, nextFCnt()])),
  };
}

function happeningOf(event: BadEvent, { devices }: Scenario, start: number): Happening {
  const { kind, network, district, first = devices.length } = event.devices;
  const meant = devices
    .filter((device) => kind === undefined || device.kind === kind)
    .filter((device) => network === undefined || device.network === network)
    .filter((device) => district === undefined || device.district.name === district)
    .slice(0, first);
  const places = new Map(meant.map(({ id }, place) => [id, place]));
  const from = start + event.at;
  return { event, from, to: from + event.for, placeOf: ({ id }) => places.get(id) };
}

interface Making {
  readonly day: BadDay;
  readonly scenario: Scenario;
  readonly happenings: readonly Happening[];
}

function createSources({ day, scenario, happenings }: Making, counters: Counters): CitySource[] {
  const { interval: intervalMs } = day;
  const weather = createCityWeather(scenario.seed);
  return createCitySources(scenario, counters, (device, values, time) => {
    const { at } = createDeviceCurve(device, { seed: scenario.seed, weather });
    return adjustedValues(device, { values, time, at }, { happenings, intervalMs });
  });
}

interface Sending extends Omit<Making, 'scenario'> {
  readonly sources: readonly CitySource[];
  readonly start: number;
}

function sentMessages({ day, sources, happenings, start }: Sending): Sent[] {
  const { interval: intervalMs, length } = day;
  const sent: Sent[] = [];
  for (let time = start; time < start + length; time += intervalMs) {
    for (const [index, { device, uplinkAt }] of sources.entries()) {
      // A second apart, so that no two devices speak at once.
      const at = time + index * 1_000;
      if (isSilent(device, at, happenings)) continue;
      for (const { topic, payload } of uplinkAt(at))
        sent.push({ device, message: messageOf(device, at, topic, payload) });
    }
  }
  return sent;
}

/** Without power a device does not count on, either. */
function isSilent(device: CityDevice, time: number, happenings: readonly Happening[]): boolean {
  return happenings.some(
    ({ event, from, to, placeOf }) =>
      event.what === 'power-cut' && time >= from && time < to && placeOf(device) !== undefined,
  );
}

function messageOf(device: CityDevice, at: number, route: string, body: Buffer): CapturedMessage {
  const sender = device.network === 'modem' ? device.id : device.network;
  return { at, via: 'mqtt', route, body, sender, device: device.id };
}
