import { describe, expect, it } from '@jest/globals';
import { type ChannelPlan, channelPlans, findPlan } from '../../../gateway/model/channel-plan.ts';
import { placeRadios, routerConfigOf } from '../../../gateway/transports/lora/router-config.ts';

const now = 1_750_000_000_000;

describe('The channels of a plan', () => {
  it('are those of EU868 as a concentrator is set up for it', () => {
    const multi = (radio: number, offset: number) => ({ enable: true, radio, if: offset });
    expect(routerConfigOf(channelPlans.EU868, 1_700_000_000_500)).toEqual({
      msgtype: 'router_config',
      NetID: null,
      JoinEui: null,
      region: 'EU863',
      hwspec: 'sx1301/1',
      freq_range: [863_000_000, 870_000_000],
      DRs: [
        ...[12, 11, 10, 9, 8, 7].map((spreadingFactor) => [spreadingFactor, 125, 0]),
        [7, 250, 0],
        [0, 0, 0],
        ...Array.from({ length: 8 }, () => [-1, 0, 0]),
      ],
      MuxTime: 1_700_000_000.5,
      sx1301_conf: [
        {
          radio_0: { enable: true, freq: 867_500_000 },
          radio_1: { enable: true, freq: 868_450_000 },
          chan_multiSF_0: multi(1, -350_000),
          chan_multiSF_1: multi(1, -150_000),
          chan_multiSF_2: multi(1, 50_000),
          chan_multiSF_3: multi(0, -400_000),
          chan_multiSF_4: multi(0, -200_000),
          chan_multiSF_5: multi(0, 0),
          chan_multiSF_6: multi(0, 200_000),
          chan_multiSF_7: multi(0, 400_000),
          chan_Lora_std: { ...multi(1, -150_000), bandwidth: 250_000, spread_factor: 7 },
          chan_FSK: multi(1, 350_000),
        },
      ],
    });
  });

  it.each(Object.keys(channelPlans))('of %s all lie within reach of two radios', (name) => {
    const plan: ChannelPlan | undefined = findPlan(name);
    expect(plan).toBeDefined();
    if (plan === undefined) return;
    const [conf] = JSON.parse(JSON.stringify(routerConfigOf(plan, now))).sx1301_conf;
    for (const [index, frequency] of plan.frequencies.entries()) {
      const channel = conf[`chan_multiSF_${index}`];
      const radio = conf[`radio_${channel.radio}`];
      expect(radio.enable).toBe(true);
      expect(radio.freq + channel.if).toBe(frequency);
      expect(Math.abs(channel.if)).toBeLessThanOrEqual(400_000);
    }
  });

  it('may need one radio, two, or more than there are', () => {
    expect(placeRadios([868_100_000, 868_500_000])).toEqual([868_300_000]);
    expect(placeRadios([869_100_000, 864_100_000])).toEqual([864_100_000, 869_100_000]);
    expect(placeRadios([863_000_000, 865_000_000, 867_000_000])).toBeUndefined();
    expect(placeRadios([])).toEqual([]);
    const one = { ...channelPlans.RU864, frequencies: [868_900_000] };
    expect(JSON.stringify(routerConfigOf(one, now))).toContain(
      '"radio_1":{"enable":false,"freq":0}',
    );
    expect(findPlan('XX1')).toBeUndefined();
  });
});
