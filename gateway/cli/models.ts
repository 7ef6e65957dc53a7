/** `fieldgate models`: device models in the running gateway, and fields that want a mapping. */
import { Command, InvalidArgumentError } from 'commander';
import type {
  ModelJson,
  ModelsJson,
  UnmappedFieldJson,
  UnmappedJson,
} from '../../dashboard/protocol-models.ts';
import { type GatewayOptions, gatewayClient, withGatewayOptions } from './gateway-client.ts';
import { readInputYaml } from './input-yaml.ts';

interface ListOptions extends GatewayOptions {
  readonly find?: string;
  readonly codec?: string;
  readonly json?: boolean;
}

export function modelsCommand(): Command {
  const list = new Command('list')
    .description('device models, imported and put')
    .option('--find <text>', 'in id, name or vendor')
    .option('--codec <id>', 'that give their devices this codec')
    .option('--json', 'print JSON, one model a line');
  const show = new Command('show')
    .description('one model as JSON, with how many devices name it')
    .argument('<id>', 'such as acme/th-1');
  const put = new Command('put')
    .description('say something of a model: name, codec, macVersion, mapping, limits, …')
    .argument('<id>', 'such as acme/th-1')
    .argument('<file>', 'YAML or JSON; what it does not name stays as an import has it')
    .option('--json', 'print the model as JSON');
  const remove = new Command('delete')
    .description('forget a model that no device names')
    .argument('<id>', 'such as acme/th-1')
    .option('--json', 'print JSON');
  return new Command('models')
    .addCommand(withGatewayOptions(list).action(listAll))
    .addCommand(withGatewayOptions(show).action(showOne))
    .addCommand(withGatewayOptions(put).action(putOne))
    .addCommand(withGatewayOptions(remove).action(removeOne));
}

const pageSize = 1_000;

async function listAll({ find, codec, json, ...where }: ListOptions): Promise<void> {
  const client = await gatewayClient(where);
  if (client === undefined) return;
  let cursor: string | undefined;
  let count = 0;
  do {
    const query = new URLSearchParams({
      limit: String(pageSize),
      ...(find && { q: find }),
      ...(codec && { codec }),
      ...(cursor && { cursor }),
    });
    const page: ModelsJson = { items: [] };
    Object.assign(page, await client.ask('GET', `/models?${query}`));
    for (const model of page.items) say(json === true ? JSON.stringify(model) : lineOf(model));
    count += page.items.length;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  const isNarrowed = find !== undefined || codec !== undefined;
  if (count === 0 && json !== true) say(`no models${isNarrowed ? ' fit' : ' are known'}`);
}

function lineOf({ id, name, codec = 'no codec', macVersion, sensors, mapping, limits }: ModelJson) {
  const parts = [
    name,
    codec,
    ...(macVersion === undefined ? [] : [`LoRaWAN ${macVersion}`]),
    ...(sensors.length === 0 ? [] : [sensors.join(' ')]),
    ...(mapping === undefined ? [] : [`${mapping.length} rules`]),
    ...(limits === undefined ? [] : [`${limits.length} limits`]),
  ];
  return `${id}: ${parts.join(', ')}`;
}

async function showOne(id: string, where: GatewayOptions): Promise<void> {
  const client = await gatewayClient(where);
  if (client === undefined) return;
  const model = await client.ask('GET', `/models/${encodeURIComponent(id)}`);
  process.stdout.write(`${JSON.stringify(model, null, 2)}\n`);
}

interface ChangeOptions extends GatewayOptions {
  readonly json?: boolean;
}

async function putOne(id: string, file: string, { json, ...where }: ChangeOptions): Promise<void> {
  const client = await gatewayClient(where);
  if (client === undefined) return;
  const settings = readInputYaml(file);
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) {
    throw new Error(`${file}: it has no fields of a model`);
  }
  const model = await client.ask('PUT', `/models/${encodeURIComponent(id)}`, settings);
  say(json === true ? JSON.stringify(model) : id);
}

async function removeOne(id: string, { json, ...where }: ChangeOptions): Promise<void> {
  const client = await gatewayClient(where);
  if (client === undefined) return;
  await client.ask('DELETE', `/models/${encodeURIComponent(id)}`);
  say(json === true ? JSON.stringify({ id, deleted: true }) : `${id} is forgotten`);
}

interface UnmappedOptions extends GatewayOptions {
  readonly codec?: string;
  readonly model?: string;
  readonly device?: string;
  readonly limit: number;
  readonly all?: boolean;
  readonly yaml?: boolean;
  readonly json?: boolean;
}

export function unmappedCommand(): Command {
  const command = new Command('unmapped')
    .option('--codec <id>', 'of this codec')
    .option('--model <id>', 'of this model')
    .option('--device <id>', 'of which this device was the last')
    .option('--limit <number>', 'at most so many, 1 to 1000', parseLimit, 100)
    .option('--all', 'also those that a rule speaks of by now')
    .option('--yaml', 'as the beginning of a mapping, to be gone through by a person')
    .option('--json', 'print JSON, one field a line');
  return withGatewayOptions(command).action(unmapped);
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000)
    throw new InvalidArgumentError('1 to 1000');
  return limit;
}

async function unmapped(options: UnmappedOptions): Promise<void> {
  const { codec, model, device, limit, all, yaml, json, ...where } = options;
  const client = await gatewayClient(where);
  if (client === undefined) return;
  const query = new URLSearchParams({
    limit: String(limit),
    ...(codec && { codec }),
    ...(model && { model }),
    ...(device && { device }),
  });
  const answer: UnmappedJson = { items: [], total: 0, beyond: 0 };
  Object.assign(answer, await client.ask('GET', `/unmapped?${query}`));
  const items = answer.items.filter(({ hasRule }) => all === true || !hasRule);
  if (json === true) for (const item of items) say(JSON.stringify(item));
  else if (yaml === true) printMapping(items);
  else if (items.length === 0) say(nothingOf(answer, options));
  else for (const item of items) say(sentenceOf(item));
}

/** Silence would leave open whether anything was asked at all. */
function nothingOf({ items }: UnmappedJson, { codec, model, device }: UnmappedOptions): string {
  if (items.length > 0) return 'a rule speaks of every field that came without a place (--all)';
  const isNarrowed = [codec, model, device].some((one) => one !== undefined);
  return `no field without a place in the vocabulary has come${isNarrowed ? ' of these' : ''}`;
}

function sentenceOf(item: UnmappedFieldJson): string {
  const { field, codec, model, device, count, lastValue, min, max, suggestions } = item;
  const of = [codec && `codec ${codec}`, model && `model ${model}`].filter(Boolean).join(', ');
  const span = min === undefined ? '' : `, from ${min} to ${max}`;
  const perhaps = suggestions.length === 0 ? '' : `; perhaps ${suggestions.join(', ')}`;
  return `${field}: ${count} times, last ${lastValue}${span} (${of || device})${perhaps}`;
}

/** What nobody has a suggestion for keeps its own name until a person knows better. */
function printMapping(items: readonly UnmappedFieldJson[]): void {
  say(items.length === 0 ? 'mapping: []' : 'mapping:');
  for (const { field, suggestions, lastValue, min, max } of items) {
    const [likely = `x_${field}`, ...others] = suggestions;
    const span = min === undefined ? '' : `, from ${min} to ${max}`;
    const or = others.length === 0 ? '' : `; or ${others.join(', ')}`;
    say(`  # last ${lastValue}${span}${or}`);
    say(`  - { from: ${JSON.stringify(field)}, quantity: ${likely} }`);
  }
}

/** What comes from devices is shown without control characters: a terminal obeys them. */
function say(text: string): void {
  process.stdout.write(`${text.replace(/\p{Cc}/gu, ' ')}\n`);
}
