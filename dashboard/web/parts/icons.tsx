/**
 * The page's signs. Each is a shape of its own, so that none depends on colour, and each stands
 * beside its word, so all are hidden from screen readers.
 */
import type { QualityFlag, VouchedByWord } from '../../protocol.ts';
import type { Freshness } from '../freshness.ts';

const strokes = { fill: 'none', stroke: 'currentColor', 'stroke-width': 1.6 } as const;

function Icon(props: { paths: readonly string[]; isDashed?: boolean; isSolid?: boolean }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {props.paths.map((path) => (
        <path
          key={path}
          d={path}
          stroke-linejoin="round"
          stroke-linecap="round"
          {...strokes}
          {...(props.isSolid === true ? { fill: 'currentColor' } : {})}
          {...(props.isDashed === true ? { 'stroke-dasharray': '2.4 2.6' } : {})}
        />
      ))}
    </svg>
  );
}

const circle = 'M8 2.2a5.8 5.8 0 1 1 0 11.6a5.8 5.8 0 1 1 0-11.6z';

export function FreshnessIcon({ state }: { state: Freshness | 'unknown' }) {
  switch (state) {
    case 'fresh':
      return <Icon paths={['M8 5a3 3 0 1 1 0 6a3 3 0 1 1 0-6z']} />;
    case 'late':
      return <Icon paths={[circle, 'M8 4.8V8l2.2 1.6']} />;
    case 'silent':
      return <Icon paths={[circle]} isDashed />;
    case 'none':
      return <Icon paths={['M4 8h8']} />;
    case 'unknown':
      return <Icon paths={[circle, 'M4 12L12 4']} />;
  }
}

const vouchedPaths: Readonly<Record<VouchedByWord, readonly string[]>> = {
  mic: ['M8 1.8l5 1.9v4c0 3.2-2.2 5.3-5 6.5c-2.8-1.2-5-3.3-5-6.5v-4z', 'M5.6 8l1.8 1.8l3.2-3.6'],
  'network-server': ['M2.5 3.5h11v3.5h-11z', 'M2.5 9h11v3.5h-11z', 'M5 5.25h.01', 'M5 10.75h.01'],
  'tls-client': ['M3.5 7.2h9v6.3h-9z', 'M5.4 7.2V5a2.6 2.6 0 0 1 5.2 0v2.2'],
  credential: [
    'M5.2 7.4a2.8 2.8 0 1 1 0 5.6a2.8 2.8 0 1 1 0-5.6z',
    'M7.2 8.2l5.6-5.6M10.6 4.8l1.8 1.8',
  ],
};

export function VouchedIcon({ by }: { by: VouchedByWord }) {
  return <Icon paths={vouchedPaths[by]} />;
}

export function QualityIcon({ quality }: { quality: QualityFlag }) {
  if (quality === 3) return <Icon paths={['M8 1.8L14.2 8L8 14.2L1.8 8z']} />;
  if (quality === 4) return <Icon paths={['M3.5 3.5l9 9M12.5 3.5l-9 9']} />;
  if (quality === 9) return <Icon paths={[circle]} isDashed />;
  return <Icon paths={[circle]} />;
}

export function WarningIcon() {
  return <Icon paths={['M8 2L14.5 13.5h-13z', 'M8 6.5v3.2', 'M8 11.6h.01']} />;
}

export type LineState = 'live' | 'paused' | 'waiting' | 'down';

export function LiveIcon({ state }: { state: LineState }) {
  if (state === 'waiting') return <Icon paths={[circle]} isDashed />;
  if (state === 'paused') return <Icon paths={['M5 3v10M11 3v10']} />;
  if (state === 'down') return <Icon paths={[circle, 'M4 12L12 4']} />;
  return <Icon paths={['M8 4.5a3.5 3.5 0 1 1 0 7a3.5 3.5 0 1 1 0-7z']} isSolid />;
}
