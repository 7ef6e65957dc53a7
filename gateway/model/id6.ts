/**
 * EUIs as Basics Station writes them: 16 hex digits with or without dashes, or in its "ID6" form.
 */
import { parseEui64 } from './eui.ts';

const group = '[0-9a-fA-F]{1,4}';
const id6 = new RegExp(`^(?:${group})?(?::(?:${group})?){1,7}$`);

/**
 * ID6 is four groups of 16 bits in the manner of an IPv6 address: `1::`, `::a:b`, `f:a123:f8:100`.
 * A path or a message may say `router-` before it. Gives 16 lower-case hex digits, else undefined.
 */
export function parseStationEui(text: string): string | undefined {
  if (text.length > 40) return undefined;
  const plain = text.replace(/^router-/, '');
  return parseEui64ById6(plain) ?? parseEui64(plain);
}

/** In ID6 with all four groups, which every station reads. */
export function formatId6(eui: string): string {
  return [0, 4, 8, 12]
    .map((at) => Number.parseInt(eui.slice(at, at + 4), 16).toString(16))
    .join(':');
}

function parseEui64ById6(text: string): string | undefined {
  if (!id6.test(text)) return undefined;
  const halves = text.split('::');
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':')));
  if (head === undefined || halves.length > 2 || head.includes('')) return undefined;
  if (tail === undefined) return head.length === 4 ? digitsOf(head) : undefined;
  const missing = 4 - head.length - tail.length;
  if (missing < 1 || tail.includes('')) return undefined;
  return digitsOf([...head, ...Array.from({ length: missing }, () => '0'), ...tail]);
}

function digitsOf(groups: readonly string[]): string {
  return groups
    .map((digits) => digits.padStart(4, '0'))
    .join('')
    .toLowerCase();
}
