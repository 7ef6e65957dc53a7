/** What a Basics Station is told when it connects: the region, and the channels to listen on. */
import assert from 'node:assert/strict';
import type { ChannelPlan } from '../../model/channel-plan.ts';

/** A concentrator of the SX1301 kind: two radios, eight channels, one wide and one FSK channel. */
const multiChannelsMax = 8;
const radiosMax = 2;
/** A radio hears this far around its centre; a channel of 125 kHz has to lie within. */
const reachHz = 400_000;
const dataRatesMax = 16;

/** Undefined when a concentrator with two radios cannot listen on all of these at once. */
export function placeRadios(frequencies: readonly number[]): readonly number[] | undefined {
  const centres: number[] = [];
  let group: number[] = [];
  for (const frequency of [...frequencies].sort((one, other) => one - other)) {
    if (frequency - (group[0] ?? frequency) > 2 * reachHz) {
      centres.push(centreOf(group));
      group = [];
    }
    group.push(frequency);
  }
  if (group.length > 0) centres.push(centreOf(group));
  return centres.length > radiosMax ? undefined : centres;
}

/** In steps of 100 Hz, as radios are set. */
function centreOf(group: readonly number[]): number {
  const middle = ((group[0] ?? 0) + (group.at(-1) ?? 0)) / 2;
  return Math.round(middle / 100) * 100;
}

export function channelsOf(plan: ChannelPlan): readonly number[] {
  const { frequencies, wideFrequency, fskFrequency } = plan;
  return [...frequencies, ...[wideFrequency ?? [], fskFrequency ?? []].flat()];
}

/** The message `router_config` of version 2 of the LNS protocol. No filter: the MIC decides. */
export function routerConfigOf(
  plan: ChannelPlan,
  epochMs: number,
): Readonly<Record<string, unknown>> {
  const centres = placeRadios(channelsOf(plan));
  assert.ok(centres !== undefined, 'two radios cover the plan');
  assert.ok(plan.frequencies.length <= multiChannelsMax, 'eight channels hold the plan');
  const tuned = (frequency: number) => tune(frequency, centres);
  const { wideFrequency, fskFrequency } = plan;
  const off = { enable: false };
  return {
    msgtype: 'router_config',
    NetID: null,
    JoinEui: null,
    region: plan.region,
    hwspec: 'sx1301/1',
    freq_range: plan.frequencyRange,
    DRs: dataRatesOf(plan),
    MuxTime: epochMs / 1_000,
    sx1301_conf: [
      {
        ...Object.fromEntries(
          Array.from({ length: radiosMax }, (_, index) => [
            `radio_${index}`,
            radioOf(centres[index]),
          ]),
        ),
        ...Object.fromEntries(
          plan.frequencies.map((frequency, index) => [`chan_multiSF_${index}`, tuned(frequency)]),
        ),
        chan_Lora_std:
          wideFrequency === undefined
            ? off
            : { ...tuned(wideFrequency), bandwidth: 250_000, spread_factor: 7 },
        chan_FSK: fskFrequency === undefined ? off : tuned(fskFrequency),
      },
    ],
  };
}

function radioOf(centre: number | undefined) {
  return centre === undefined ? { enable: false, freq: 0 } : { enable: true, freq: centre };
}

function tune(frequency: number, centres: readonly number[]) {
  const radio = centres.findIndex((centre) => Math.abs(frequency - centre) <= reachHz);
  return { enable: true, radio, if: frequency - (centres[radio] ?? frequency) };
}

/** [spreading factor, kHz, downlink only] by index; spreading factor 0 is FSK and -1 is none. */
function dataRatesOf({ dataRates }: ChannelPlan): readonly (readonly number[])[] {
  return Array.from({ length: dataRatesMax }, (_, index) => {
    const dataRate = dataRates[index];
    if (dataRate === undefined) return [-1, 0, 0];
    if (dataRate === 'fsk') return [0, 0, 0];
    return [dataRate.spreadingFactor, dataRate.bandwidth / 1_000, 0];
  });
}
