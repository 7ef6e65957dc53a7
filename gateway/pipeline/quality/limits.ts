/**
 * The limits that the tests hold a series to: those of its quantity, and over them what the
 * configuration says for areas, models and devices. All of it is in the unit of the quantity.
 */
import type { SettledDevice } from '../../model/device.ts';

export interface Span {
  readonly min: number;
  readonly max: number;
}

/** Test 5: the span of these months (1 to 12, UTC by the value's own time). */
export interface Season extends Span {
  readonly months: readonly number[];
}

/** Test 6: how far a value may lie from the middle of its two neighbours. */
export interface SpikeLimits {
  readonly suspect: number;
  readonly fail: number;
}

/** Test 7: a step may be `floor` and `deviations` standard deviations of the last 25 h. */
export interface RateLimits {
  readonly deviations: number;
  readonly floor: number;
}

/** Test 8: values within `tolerance` of each other, for so many values before and so long. */
export interface FlatLimits {
  readonly tolerance: number;
  readonly suspectCount: number;
  readonly failCount: number;
  readonly suspectSeconds: number;
  readonly failSeconds: number;
  /** Where a quantity may rest for days: no rain, no wind, fog at 100 %. */
  readonly rests?: Span | undefined;
}

/** Test 10: the standard deviation over `hours` has to reach these. */
export interface AttenuationLimits {
  readonly hours: number;
  readonly suspect: number;
  readonly fail: number;
}

/** Test 11: how many spreads of its neighbours a value may lie from their mean. */
export interface NeighbourLimits {
  readonly suspect: number;
  readonly fail: number;
  /** The spread is taken for at least this, however much the neighbours agree. */
  readonly deviationMin: number;
  readonly countMin: number;
  readonly ageSecondsMax: number;
}

export interface Limits {
  /** Test 1: values should come this often, with some grace. */
  readonly intervalSeconds?: number | undefined;
  /** Test 3: how far from its place a device may be. */
  readonly metresMax?: number | undefined;
  /** Test 4: what the sensor can report; beyond it the value fails. */
  readonly range?: Span | undefined;
  /** Test 4: what is to be expected here; beyond it the value is suspect. */
  readonly expected?: Span | undefined;
  readonly seasons?: readonly Season[] | undefined;
  /** Tests 6 and 7: values further apart are no neighbours. */
  readonly stepSecondsMax?: number | undefined;
  /** A test whose limits are null is not made. */
  readonly spike?: SpikeLimits | null | undefined;
  readonly rate?: RateLimits | null | undefined;
  readonly flat?: FlatLimits | null | undefined;
  readonly attenuation?: AttenuationLimits | null | undefined;
  readonly neighbours?: NeighbourLimits | null | undefined;
}

/** Limits for whatever all of its words fit; a word that is not there fits everything. */
export interface LimitRule extends Limits {
  readonly quantity: string;
  readonly channel?: string | undefined;
  readonly areas?: readonly string[] | undefined;
  readonly models?: readonly string[] | undefined;
  readonly devices?: readonly string[] | undefined;
  /** Whose it is, where it is not of the configuration. */
  readonly origin?: 'model' | 'device';
}

/** Grace of the gap test: a value may come late by half of the interval. */
export const gapGrace = 1.5;
export const stepSecondsDefault = 10_800;

export interface Place {
  readonly device: string;
  readonly quantity: string;
  readonly channel: string;
  readonly area?: string | undefined;
  readonly model?: string | undefined;
}

/**
 * Rules go over the defaults in this order: for all, for areas, for models, for devices; what
 * stands with a model or a device itself goes over what the configuration says of it.
 */
export function limitsFor(
  place: Place,
  defaults: Limits | undefined,
  rules: readonly LimitRule[],
): Limits {
  return inOrder(place, rules).reduce<Limits>(over, defaults ?? {});
}

/** Those that fit the place, the weightiest last. */
function inOrder(place: Place, rules: readonly LimitRule[]): LimitRule[] {
  const fitting = rules.filter((rule) => fits(rule, place));
  return fitting.sort((one, other) => weightOf(one) - weightOf(other));
}

/** With the limits that stand with a device and its model: each after those of its own kind. */
export function rulesFor(
  rules: readonly LimitRule[],
  device: SettledDevice | undefined,
): readonly LimitRule[] {
  const { id, model, limits = [], modelLimits = [] } = device ?? { id: '' };
  if (limits.length + modelLimits.length === 0) return rules;
  return [
    ...rules,
    ...modelLimits.map((rule) => ({
      ...rule,
      models: [model ?? ''],
      origin: 'model' as const,
    })),
    ...limits.map((rule) => ({ ...rule, devices: [id], origin: 'device' as const })),
  ];
}

/** Who has said each of the limits in force. */
export type LimitOrigin = 'vocabulary' | 'configuration' | 'model' | 'device';

export function originsOf(
  place: Place,
  defaults: Limits | undefined,
  rules: readonly LimitRule[],
): ReadonlyMap<string, LimitOrigin> {
  const told = Object.keys(defaults ?? {}).map((name): [string, LimitOrigin] => [
    name,
    'vocabulary',
  ]);
  const origins = new Map(told);
  for (const { origin = 'configuration', ...rule } of inOrder(place, rules)) {
    for (const [name, value] of Object.entries(over({}, rule))) {
      if (value !== undefined) origins.set(name, origin);
    }
  }
  return origins;
}

function fits(rule: LimitRule, place: Place): boolean {
  if (rule.quantity !== place.quantity) return false;
  if (rule.channel !== undefined && rule.channel !== place.channel) return false;
  return (
    names(rule.areas, place.area) &&
    names(rule.models, place.model) &&
    names(rule.devices, place.device)
  );
}

function names(listed: readonly string[] | undefined, name: string | undefined): boolean {
  return listed === undefined || (name !== undefined && listed.includes(name));
}

function weightOf({ areas, models, devices, channel }: LimitRule): number {
  const level = devices !== undefined ? 6 : models !== undefined ? 4 : areas !== undefined ? 2 : 0;
  return level + (channel === undefined ? 0 : 1);
}

/** A test's limits are replaced as a whole; what a rule does not speak of stays as it was. */
function over(limits: Limits, rule: LimitRule): Limits {
  return {
    intervalSeconds: rule.intervalSeconds ?? limits.intervalSeconds,
    metresMax: rule.metresMax ?? limits.metresMax,
    range: rule.range ?? limits.range,
    expected: rule.expected ?? limits.expected,
    seasons: rule.seasons ?? limits.seasons,
    stepSecondsMax: rule.stepSecondsMax ?? limits.stepSecondsMax,
    spike: rule.spike === undefined ? limits.spike : rule.spike,
    rate: rule.rate === undefined ? limits.rate : rule.rate,
    flat: rule.flat === undefined ? limits.flat : rule.flat,
    attenuation: rule.attenuation === undefined ? limits.attenuation : rule.attenuation,
    neighbours: rule.neighbours === undefined ? limits.neighbours : rule.neighbours,
  };
}
