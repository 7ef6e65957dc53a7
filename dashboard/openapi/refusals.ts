/** What many operations refuse in the same way, said once and put into the contract of each. */

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly [more: string]: unknown;
}

export interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, object>>;
  readonly [more: string]: unknown;
}

export const methods = ['get', 'put', 'post', 'delete'] as const;

export interface PathItem extends Readonly<Partial<Record<(typeof methods)[number], Operation>>> {
  readonly parameters?: readonly Parameter[];
}

function refusal(description: string, headers?: Readonly<Record<string, string>>) {
  const schema = { $ref: '#/components/schemas/Problem' };
  const described = Object.entries(headers ?? {}).map(([name, text]) => [
    name,
    { description: text, schema: { type: 'string' } },
  ]);
  return {
    description: `${description} [RFC 9457].`,
    ...(headers === undefined ? {} : { headers: Object.fromEntries(described) }),
    content: { 'application/problem+json': { schema } },
  };
}

const unreadable = refusal('A parameter that is unknown or cannot be read, or such a body');
const tooLarge = refusal('The body is larger than the limit, which is named');
const otherType = refusal('A body of another type than these, or compressed in another way', {
  Accept: 'The types that would do.',
  'Accept-Post': 'The same, for POST.',
  'Accept-Encoding': 'The codings that would do, when the coding was at fault.',
});

/** In front of what an operation says itself. */
export function withRefusals(
  paths: Readonly<Record<string, PathItem>>,
): Readonly<Record<string, PathItem>> {
  return Object.fromEntries(
    Object.entries(paths).map(([path, item]) => {
      const isApi = path.startsWith('/api/v1/');
      return [path, isApi ? { ...item, ...refusing(item) } : item];
    }),
  );
}

function refusing(item: PathItem): PathItem {
  return Object.fromEntries(
    methods.flatMap((method) => {
      const operation = item[method];
      if (operation === undefined) return [];
      const ofBody = operation.requestBody && { '413': tooLarge, '415': otherType };
      const responses = { '400': unreadable, ...ofBody, ...operation.responses };
      return [[method, { ...operation, responses }]];
    }),
  );
}
