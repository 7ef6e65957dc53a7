/**
 * The rules and limits that stand with a codec, a model or a device, as people write them: their
 * form is that of the configuration, and what they name must be of the vocabulary.
 */
import type { z } from 'zod';
import { fieldRules } from '../../config/field-rule-schema.ts';
import { ownLimits, type SeriesLimits } from '../../config/quality-schema.ts';
import { type FieldRule, type RuleProblem, ruleProblems } from '../../decoders/field-rule.ts';
import { quantityOf } from '../../decoders/quantity.ts';

export const mappingInput = fieldRules.superRefine((rules, context) =>
  addAll(ruleProblems(rules), context),
);

export const limitsInput = ownLimits.superRefine((limits, context) =>
  addAll(limitProblems(limits), context),
);

function addAll(problems: readonly RuleProblem[], context: z.core.$RefinementCtx): void {
  for (const { path, message } of problems) {
    context.issues.push({ code: 'custom', path: [...path], message, input: undefined });
  }
}

function limitProblems(all: readonly SeriesLimits[]): RuleProblem[] {
  const seen = new Set<string>();
  return all.flatMap(({ quantity, channel = '', seasons = [] }, at) => {
    const problems: RuleProblem[] = [];
    const add = (field: string, message: string) => problems.push({ path: [at, field], message });
    const known = quantityOf(quantity);
    if (known === undefined && !quantity.startsWith('x_')) {
      add('quantity', `${quantity} is no quantity: GET /api/v1/quantities lists them; else x_…`);
    }
    if (known?.kind === 'state') add('quantity', `${quantity} is a state, which has no limits`);
    const series = `${quantity} ${channel}`;
    if (seen.has(series)) add('quantity', `${quantity} is there twice: put it into one`);
    seen.add(series);
    const months = seasons.flatMap((season) => season.months);
    const twice = months.find((month, place) => months.indexOf(month) < place);
    if (twice !== undefined) add('seasons', `month ${twice} is in two of them`);
    return problems;
  });
}

export interface RulesRead {
  readonly rules: readonly FieldRule[];
  /** With any, the rules are not to be used. */
  readonly problems: readonly string[];
}

/** Never throws, on whatever somebody wrote. */
export function readRules(given: unknown): RulesRead {
  const read = mappingInput.safeParse(given);
  if (read.success) return { rules: read.data, problems: [] };
  const problems = read.error.issues.map(
    ({ path, message }) => `${['mapping', ...path].join('.')}: ${message}`,
  );
  return { rules: [], problems: problems.slice(0, problemsMax) };
}

const problemsMax = 20;
