/** Small marks with their words: how fresh, how good, who vouches, how old. */
import { computed } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { QualityFlag, VouchedByWord } from '../../protocol.ts';
import type { Freshness } from '../freshness.ts';
import type { LiveReading } from '../live-subscription.ts';
import { usePage } from '../page-context.tsx';
import { decimalsOf, stateWord } from '../quantity.ts';
import { unitLabel } from '../unit.ts';
import { FreshnessIcon, QualityIcon, VouchedIcon } from './icons.tsx';

/** Nothing looks fresh while the stream is down: what was on time is then simply not known. */
export function shownState(state: Freshness, isDown: boolean): Freshness | 'unknown' {
  return isDown && state === 'fresh' ? 'unknown' : state;
}

export function FreshnessMark({ state }: { state: Freshness | 'unknown' }) {
  const { t } = usePage();
  return (
    <span class={`mark state-${state}`}>
      <FreshnessIcon state={state} />
      {t(`state.${state}`)}
    </span>
  );
}

export function VouchedMark({ by }: { by: VouchedByWord }) {
  const { t } = usePage();
  return (
    <span class="mark vouched" title={t(`vouched.${by}.long`)}>
      <VouchedIcon by={by} />
      {t(`vouched.${by}`)}
    </span>
  );
}

export function QualityMark({ quality }: { quality: QualityFlag }) {
  const { t } = usePage();
  if (quality === 1) return null;
  return (
    <span class={`mark quality-${quality}`}>
      <QualityIcon quality={quality} />
      {t(`quality.${quality}`)}
    </span>
  );
}

/** The age of a time, ticking by the server's clock. */
export function Age({ time }: { time: number }) {
  const { page, format } = usePage();
  // The signal replaces only the text, so a tick does not run through the rows.
  const text = useMemo(
    () => computed(() => format.ago(page.now.value - time)),
    [page, format, time],
  );
  return <time dateTime={new Date(time).toISOString()}>{text}</time>;
}

interface ValueText {
  readonly value: string;
  readonly unit: string;
}

/** The value to the resolution of its quantity, and its printed unit. */
export function useValueText(): (reading: {
  quantity: string;
  value: number | string;
  unit: string;
}) => ValueText {
  const { page, format } = usePage();
  return ({ quantity, value, unit }) => {
    const known = page.quantities.value;
    if (typeof value === 'string') {
      return { value: stateWord(known, { quantity, value }, format.language), unit: '' };
    }
    const decimals = decimalsOf(known.get(quantity)?.resolution);
    return { value: format.number(value, decimals), unit: unitLabel(unit, format.language) };
  };
}

/** A narrow space that does not break, between value and unit in every language. */
const unitSpace = '\u202f';

export type PrintValue = (value: number) => string;

/** Prints the numbers of one series with their unit, as one text. */
export function usePrintValue(series: { quantity: string; unit: string }): PrintValue {
  const text = useValueText();
  return (value) => {
    const printed = text({ quantity: series.quantity, value, unit: series.unit });
    return printed.unit === '' ? printed.value : `${printed.value}${unitSpace}${printed.unit}`;
  };
}

export function Value({ reading }: { reading: LiveReading }) {
  const text = useValueText()(reading);
  return (
    <span class="value">
      <data value={String(reading.value)}>{text.value}</data>
      {text.unit === '' ? null : (
        <span class="unit" title={`UCUM: ${reading.unit}`}>
          {unitSpace}
          {text.unit}
        </span>
      )}
    </span>
  );
}
