/**
 * What query parameters and ids may be, said once: the document of the API is made of it, and those
 * who read requests hold them to it.
 */
import { codecIdPattern } from '../../gateway/codecs/codec-files.ts';
import { modelIdPattern } from '../../gateway/codecs/models/model-input.ts';
import { deviceIdPattern } from '../../gateway/model/device.ts';
import { faultSentences } from '../../gateway/model/fault.ts';
import { portable } from './input-schema.ts';

/** Characters of any text in a query. */
export const textMax = 256;

/**
 * The ledger keeps the number of an entry in six bytes, and the one after it has to fit, too, as
 * a page begins there; a larger one is of no entry.
 */
export const seqMax = 2 ** 48 - 2;

export const kinds = ['lorawan', 'cellular'] as const;
export const yesOrNo = ['true', 'false'] as const;
export const aggregates = ['mean', 'min', 'max', 'sum', 'count', 'last'] as const;
export const views = ['latest', 'series'] as const;
export const outcomes = [
  ...(['accepted', 'copy', 'redelivery', 'replayed', 'quarantined', 'event'] as const),
] as const;

/** A window: 15m, or PT15M [ISO 8601]. */
export const windowPattern = /^(?:PT|P)?(\d{1,6})([smhdSMHD])$/;
/** After or before an entry of the ledger. */
export const uplinkCursor = /^([ab])(\d{1,15})$/;
export const readingCursor = /^[A-Za-z0-9_-]+$/;

export const rows = { min: 1, max: 1_000 } as const;
export const manyRows = { min: 1, max: 10_000 } as const;
/** Milliseconds between two deltas of the live stream. */
export const rates = { min: 100, max: 60_000 } as const;
/** Where a page of the last values begins. */
export const seriesPlaces = { min: 0, max: 100_000_000 } as const;
export const auditPlaces = { min: 1, max: Number.MAX_SAFE_INTEGER } as const;

const goOn = '`nextCursor` of the page before.';
const text = { type: 'string', maxLength: textMax } as const;
const matching = ({ source }: RegExp) => ({ ...text, pattern: source });
const whole = ({ min, max }: { readonly min: number; readonly max: number }) => ({
  ...{ type: 'integer', minimum: min, maximum: max },
});
const choice = (choices: readonly string[]) => ({ type: 'string', enum: [...choices] });
const time = { type: 'string', format: 'date-time' } as const;

/** Schemas of parameters in a query, by the names that the paths choose them by. */
const schemas = {
  ...{ device: text, quantity: text, channel: text, area: text, agency: text },
  ...{ model: text, codec: text, q: text, event: text },
  kind: choice(kinds),
  ...{ registered: choice(yesOrNo), atomic: choice(yesOrNo), withCodec: choice(yesOrNo) },
  ...{ from: time, to: time },
  every: matching(windowPattern),
  agg: choice(aggregates),
  outcome: choice(outcomes),
  fault: choice(Object.keys(faultSentences)),
  after: whole({ min: 0, max: seqMax }),
  ...{ limit: whole(rows), manyRows: whole(manyRows), uplinks: whole(rows) },
  version: text,
  cursor: { ...text, minLength: 1 },
  uplinkCursor: matching(uplinkCursor),
  readingCursor: matching(readingCursor),
  /** Digits, as an answer has them: a text that is a whole number. */
  ...{ seriesCursor: whole(seriesPlaces), auditCursor: whole(auditPlaces) },
  view: choice(views),
  rate: whole(rates),
} as const;

type ParameterName = keyof typeof schemas;

const names: Readonly<Partial<Record<ParameterName, string>>> = {
  ...{ withCodec: 'codec', manyRows: 'limit' },
  ...{ uplinkCursor: 'cursor', readingCursor: 'cursor' },
  ...{ seriesCursor: 'cursor', auditCursor: 'cursor' },
};

const descriptions: Readonly<Partial<Record<ParameterName, string>>> = {
  q: 'Text in id or name.',
  from: 'Inclusive; a day before `to` by default.',
  to: 'Exclusive; now by default.',
  every: 'Window: 15m, 1h, PT15M.',
  outcome: 'Redeliveries are acknowledged and counted, not stored: that list is empty.',
  after: 'Entries after this seq, oldest first.',
  ...{ limit: '100 by default.', manyRows: '1000 by default.', uplinks: '100 by default.' },
  ...{ cursor: goOn, uplinkCursor: goOn, readingCursor: goOn },
  ...{ seriesCursor: goOn, auditCursor: goOn },
  version: 'Whose script; the first digits are enough.',
  atomic: 'All rows or none, in one write.',
  withCodec: 'Whether each reading says which version of which codec made it.',
  rate: 'Milliseconds between deltas.',
};

/** The parameter of that name in a query; another description than the usual one if given. */
export function inQuery(name: ParameterName, description = descriptions[name]) {
  const said = description === undefined ? {} : { description };
  return { name: names[name] ?? name, in: 'query', schema: schemas[name], ...said };
}

export function query(...chosen: readonly ParameterName[]) {
  return chosen.map((name) => inQuery(name));
}

function inPath(pattern: RegExp, description?: string) {
  const said = description === undefined ? {} : { description };
  const schema = { type: 'string', pattern: portable(pattern.source) };
  return { name: 'id', in: 'path', required: true, schema, ...said };
}

export const deviceInPath = inPath(deviceIdPattern, 'A devEui in any spelling of it.');
export const codecInPath = inPath(codecIdPattern);
export const modelInPath = inPath(modelIdPattern, 'With each / written as %2F.');
