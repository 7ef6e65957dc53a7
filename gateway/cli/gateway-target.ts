/** The Fieldgate that a simulation asks what has become of its messages. */
import type { GatewayDoor } from '../../simulators/load/gateway-check.ts';
import { baseOf, tokenOf } from './gateway-client.ts';
import type { SimulateOptions } from './simulate-options.ts';

export function gatewayOf({ gateway, tokenFile }: SimulateOptions): GatewayDoor | undefined {
  if (gateway === undefined) return undefined;
  return { url: baseOf('--gateway', gateway), token: tokenOf(tokenFile) };
}
