/**
 * The radio channels of the regions served: what LoRa gateways listen on, and what a data rate
 * means.
 */

export interface LoraDataRate {
  readonly spreadingFactor: number;
  /** Hz */
  readonly bandwidth: number;
}

export interface ChannelPlan {
  /** As Basics Station spells it. */
  readonly region: string;
  /** Hz, both included: what the gateway may send and receive on. */
  readonly frequencyRange: readonly [number, number];
  /** By index; 'fsk' is 50 kbit/s. */
  readonly dataRates: readonly (LoraDataRate | 'fsk')[];
  /** Hz; up to eight channels of 125 kHz with every spreading factor. */
  readonly frequencies: readonly number[];
  /** One channel of 250 kHz at SF7, Hz. */
  readonly wideFrequency?: number;
  /** One channel of FSK, Hz. */
  readonly fskFrequency?: number;
}

const narrow = 125_000;

/**
 * The three plans number their data rates alike, as the regional parameters of LoRaWAN list them.
 */
const dataRates = [
  ...[12, 11, 10, 9, 8, 7].map((spreadingFactor) => ({ spreadingFactor, bandwidth: narrow })),
  { spreadingFactor: 7, bandwidth: 250_000 },
  'fsk',
] as const;

export const channelPlans = {
  EU868: {
    region: 'EU863',
    frequencyRange: [863_000_000, 870_000_000],
    dataRates,
    frequencies: [
      ...[868_100_000, 868_300_000, 868_500_000, 867_100_000],
      ...[867_300_000, 867_500_000, 867_700_000, 867_900_000],
    ],
    wideFrequency: 868_300_000,
    fskFrequency: 868_800_000,
  },
  RU864: {
    region: 'RU864',
    frequencyRange: [864_000_000, 870_000_000],
    dataRates,
    frequencies: [
      ...[868_900_000, 869_100_000, 864_100_000, 864_300_000],
      ...[864_500_000, 864_700_000, 864_900_000],
    ],
  },
  AS923: {
    region: 'AS923-1',
    frequencyRange: [915_000_000, 928_000_000],
    dataRates,
    frequencies: [
      ...[923_200_000, 923_400_000, 923_600_000, 923_800_000],
      ...[924_000_000, 924_200_000, 924_400_000, 924_600_000],
    ],
    wideFrequency: 924_500_000,
    fskFrequency: 924_800_000,
  },
} as const satisfies Readonly<Record<string, ChannelPlan>>;

/** Other channels than those of the plan have neither its wide channel nor its FSK channel. */
export function planWith(
  name: keyof typeof channelPlans,
  frequencies: readonly number[] | undefined,
): ChannelPlan {
  const { wideFrequency, fskFrequency, ...plan }: ChannelPlan = channelPlans[name];
  return frequencies === undefined ? channelPlans[name] : { ...plan, frequencies };
}

/** By its name in any case; undefined for a plan that is not here. */
export function findPlan(name: string): ChannelPlan | undefined {
  switch (name.toUpperCase()) {
    case 'EU868':
      return channelPlans.EU868;
    case 'RU864':
      return channelPlans.RU864;
    case 'AS923':
      return channelPlans.AS923;
    default:
      return undefined;
  }
}
