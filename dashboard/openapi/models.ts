/** `/api/v1/models`, `/api/v1/unmapped`, and what stands with a model or a device of its values. */
import { fieldRules } from '../../config/field-rule-schema.ts';
import { ownLimits } from '../../config/quality-schema.ts';
import { modelShape } from '../../gateway/codecs/models/model-input.ts';
import { inputSchema } from '../request/input-schema.ts';
import { inQuery, modelInPath, query } from '../request/parameters.ts';

const text = { type: 'string' } as const;
const time = { type: 'string', format: 'date-time' } as const;
const number = { type: 'number' } as const;
const whole = { type: 'integer', minimum: 0 } as const;
const atLeastOne = { type: 'integer', minimum: 1 } as const;

function object(required: readonly string[], properties: object) {
  return { type: 'object', required, additionalProperties: false, properties } as const;
}

const span = object(['min', 'max'], { min: number, max: number });
const orNone = (schema: object) => ({ oneOf: [schema, { type: 'null' }] });

const tests = {
  intervalSeconds: { ...atLeastOne, description: 'Test 1.' },
  metresMax: { ...number, description: 'Test 3.' },
  range: { ...span, description: 'Test 4: beyond it a value fails.' },
  expected: { ...span, description: 'Test 4: beyond it a value is suspect.' },
  seasons: {
    type: 'array',
    description: 'Test 5: the span of each month.',
    items: object(['months', 'min', 'max'], {
      months: { type: 'array', items: { type: 'integer', minimum: 1, maximum: 12 } },
      min: number,
      max: number,
    }),
  },
  stepSecondsMax: { ...atLeastOne, description: 'Tests 6 and 7.' },
  spike: orNone(object(['suspect', 'fail'], { suspect: number, fail: number })),
  rate: orNone(object(['deviations', 'floor'], { deviations: number, floor: number })),
  flat: orNone(
    object(['tolerance'], {
      ...{ tolerance: number, suspectCount: atLeastOne, failCount: atLeastOne },
      ...{ suspectSeconds: whole, failSeconds: whole, rests: span },
    }),
  ),
  attenuation: orNone(
    object(['hours', 'suspect', 'fail'], { hours: atLeastOne, suspect: number, fail: number }),
  ),
  neighbours: orNone(
    object(['suspect', 'fail', 'deviationMin'], {
      ...{ suspect: number, fail: number, deviationMin: number },
      ...{ countMin: atLeastOne, ageSecondsMax: atLeastOne },
    }),
  ),
} as const;

export const mappingList = {
  type: 'array',
  maxItems: 256,
  description: 'How fields are read, before what their names say by themselves.',
  items: { $ref: '#/components/schemas/FieldRule' },
} as const;

export const limitsList = {
  type: 'array',
  maxItems: 256,
  description: 'What quality control asks of values.',
  items: { $ref: '#/components/schemas/SeriesLimits' },
} as const;

const settings = {
  ...{ name: text, description: text, sensors: { type: 'array', items: text } },
  codec: { ...text, description: 'Before that of its firmware.' },
  macVersion: { ...text, description: 'Before that of its firmware.' },
  ...{ mapping: mappingList, limits: limitsList },
} as const;

const firmware = object(['version', 'hardwareVersions', 'regions'], {
  version: text,
  hardwareVersions: { type: 'array', items: text },
  codec: text,
  regions: { type: 'object', additionalProperties: { type: 'object' } },
});

const modelSettings = inputSchema(modelShape);

export const modelSchemas = {
  FieldRule: inputSchema(fieldRules.element),
  SeriesLimits: inputSchema(ownLimits.element),
  Limits: object([], tests),
  ModelSettings: {
    ...modelSettings,
    properties: { ...modelSettings.properties, mapping: mappingList, limits: limitsList },
  },
  Model: object(['id', 'name', 'origin', 'sensors', 'firmware'], {
    ...settings,
    ...{ id: text, vendor: text },
    origin: { type: 'string', enum: ['import', 'own'] },
    firmware: { type: 'array', items: firmware },
    deviceCount: { ...whole, description: 'Devices that name it.' },
    settings: { $ref: '#/components/schemas/ModelSettings' },
  }),
  Models: object(['items'], {
    items: { type: 'array', items: { $ref: '#/components/schemas/Model' } },
    nextCursor: text,
  }),
  Unmapped: object(['items', 'total', 'beyond'], {
    total: whole,
    beyond: { ...whole, description: 'Values of fields that there was no room for.' },
    items: {
      type: 'array',
      description: 'Those seen most often first.',
      items: object(
        [
          ...(['field', 'device', 'count', 'firstSeen', 'lastSeen', 'lastValue'] as const),
          ...(['hasRule', 'suggestions'] as const),
        ],
        {
          field: { ...text, description: 'What stands behind x_; a rule may have it as `from`.' },
          ...{ codec: text, model: text },
          device: { ...text, description: 'The last one that sent it.' },
          ...{ count: whole, firstSeen: time, lastSeen: time },
          lastValue: { type: ['number', 'string'] },
          ...{ min: number, max: number },
          hasRule: { type: 'boolean', description: 'A rule speaks of it by now.' },
          suggestions: { type: 'array', items: text },
        },
      ),
    },
  }),
} as const;

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const json = (name: string) => ({ 'application/json': { schema: ref(name) } });
const ok = (name: string, description = 'OK') => ({ description, content: json(name) });
const problem = {
  description: 'Refused [RFC 9457].',
  content: { 'application/problem+json': { schema: ref('Problem') } },
};
const refusals = { '400': problem, '401': problem };
const changes = { ...refusals, '403': problem };
export const modelPaths = {
  '/api/v1/models': {
    get: {
      summary: 'Device models, imported and put',
      parameters: [
        inQuery('q', 'Text in id, name or vendor.'),
        inQuery('codec', 'Those that give their devices this codec.'),
        ...query('limit', 'cursor'),
      ],
      responses: { '200': ok('Models'), ...refusals },
    },
  },
  '/api/v1/models/{id}': {
    parameters: [modelInPath],
    get: {
      summary: 'One device model, with how many devices name it',
      responses: { '200': ok('Model'), ...refusals, '404': problem },
    },
    put: {
      summary: 'What people say of a model; what is not named stays as an import has it',
      requestBody: { required: true, content: json('ModelSettings') },
      responses: {
        ...{ '200': ok('Model', 'Replaced'), '201': ok('Model', 'Added'), ...changes },
        ...{ '409': problem, '422': problem },
      },
    },
    delete: {
      summary: 'Forget a model that no device names',
      responses: { '204': { description: 'Gone' }, ...changes, '404': problem, '409': problem },
    },
  },
  '/api/v1/unmapped': {
    get: {
      summary: 'Fields that came without a place in the vocabulary',
      parameters: [
        ...query('codec', 'model'),
        inQuery('device', 'Of which this device was the last.'),
        inQuery('limit'),
      ],
      responses: { '200': ok('Unmapped'), ...refusals, '503': problem },
    },
  },
} as const;
