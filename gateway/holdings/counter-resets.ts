/** Which devices may count their frames anew: what each says of itself, or the configuration. */
import type { Config } from '../../config/schema.ts';
import type { ResetRule, ResetRuleOf } from '../ledger/counter-reset.ts';
import type { Device } from '../model/device.ts';

interface Devices {
  get(id: string): Pick<Device, 'activation' | 'counterReset'> | undefined;
}

/** Only those activated by personalisation: others join again, and have new keys. */
export function counterResets(
  devices: Devices,
  { policy, ...limits }: Config['ingest']['counterReset'],
): ResetRuleOf {
  const rules: Readonly<Record<ResetRule['mode'], ResetRule>> = {
    'after-silence': { ...limits, mode: 'after-silence' },
    always: { ...limits, mode: 'always' },
  };
  return (deviceId) => {
    const device = devices.get(deviceId);
    if (device?.activation !== 'abp') return undefined;
    const mode = device.counterReset ?? policy;
    return mode === 'never' ? undefined : rules[mode];
  };
}
