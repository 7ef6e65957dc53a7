/** Which addresses a protocol without encryption may be spoken on. */
import { BlockList, isIPv4, isIPv6 } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** [RFC 1918], [RFC 6598] (an operator's own network), [RFC 3927], [RFC 4193] and [RFC 4291]. */
const inside = new BlockList();
inside.addSubnet('10.0.0.0', 8, 'ipv4');
inside.addSubnet('172.16.0.0', 12, 'ipv4');
inside.addSubnet('192.168.0.0', 16, 'ipv4');
inside.addSubnet('100.64.0.0', 10, 'ipv4');
inside.addSubnet('169.254.0.0', 16, 'ipv4');
inside.addSubnet('fc00::', 7, 'ipv6');
inside.addSubnet('fe80::', 10, 'ipv6');

export function isLoopback(host: string): boolean {
  return host === 'localhost' || isIn(loopback, host);
}

/** False for `0.0.0.0` and `::` too: nobody can say who reaches those. Names are not looked up. */
export function isPrivate(host: string): boolean {
  return isLoopback(host) || isIn(inside, host);
}

function isIn(list: BlockList, host: string): boolean {
  if (isIPv4(host)) return list.check(host, 'ipv4');
  return isIPv6(host) && list.check(host, 'ipv6');
}
