/** `/api/v1/codecs` and codec histories in the API's document. */
import { codecInput, codecMapping, deriveInput } from '../request/input.ts';
import { inputSchema } from '../request/input-schema.ts';
import { codecInPath, deviceInPath, inQuery, query } from '../request/parameters.ts';
import { mappingList } from './models.ts';

const text = { type: 'string' } as const;
const time = { type: 'string', format: 'date-time' } as const;
const whole = { type: 'integer', minimum: 0 } as const;
const hash = { type: 'string', pattern: '^[0-9a-f]{64}$' } as const;
const dialect = { type: 'string', enum: ['decodeUplink', 'Decode', 'Decoder'] } as const;
const variables = { type: 'object', additionalProperties: text } as const;

export const codecSchemas = {
  CodecVersion: {
    type: 'object',
    required: ['version', 'bytes', 'addedAt', 'addedBy', 'variables', 'examples', 'isSound'],
    additionalProperties: false,
    properties: {
      version: { ...hash, description: 'SHA-256 of the script, and of its settings if any.' },
      bytes: whole,
      addedAt: time,
      addedBy: text,
      dialect,
      variables,
      mapping: mappingList,
      examples: { ...whole, description: 'How many examples came with it.' },
      isSound: { type: 'boolean', description: 'False for one that does not load.' },
    },
  },
  Codec: {
    type: 'object',
    required: ['id', 'title', 'origin'],
    additionalProperties: false,
    properties: {
      id: text,
      title: text,
      origin: { type: 'string', enum: ['built-in', 'upload', 'directory', 'import'] },
      source: { ...text, description: 'Of a built-in codec: its data sheet.' },
      version: { ...hash, description: 'The one that devices follow.' },
      versionCount: whole,
      versions: { type: 'array', items: { $ref: '#/components/schemas/CodecVersion' } },
      script: { ...text, description: 'Of the version asked for, or of the current one.' },
    },
  },
  Codecs: {
    type: 'object',
    required: ['items'],
    additionalProperties: false,
    properties: {
      items: { type: 'array', items: { $ref: '#/components/schemas/Codec' } },
      nextCursor: text,
    },
  },
  CodecInput: inputSchema(codecInput),
  CodecMapping: inputSchema(codecMapping),
  DryRun: {
    type: 'object',
    required: [
      ...(['version', 'devices', 'uplinks', 'same', 'different'] as const),
      ...(['faultsBefore', 'faultsAfter', 'differences'] as const),
    ],
    additionalProperties: false,
    properties: {
      version: hash,
      ...{ devices: whole, uplinks: whole, same: whole, different: whole },
      faultsBefore: { ...whole, description: 'Uplinks that give nothing now.' },
      faultsAfter: { ...whole, description: 'Uplinks that would give nothing.' },
      differences: {
        type: 'array',
        description: 'The newest first, at most 100 uplinks.',
        items: {
          type: 'object',
          required: ['seq', 'device', 'receivedAt', 'readings'],
          additionalProperties: false,
          properties: {
            ...{ seq: whole, device: text, receivedAt: time },
            ...{ faultBefore: text, faultAfter: text },
            readings: {
              type: 'array',
              items: {
                type: 'object',
                required: ['quantity', 'unit'],
                additionalProperties: false,
                properties: {
                  ...{ quantity: text, unit: text, channel: text, time },
                  before: { type: ['number', 'string'] },
                  after: { type: ['number', 'string'] },
                },
              },
            },
          },
        },
      },
    },
  },
  Derive: {
    type: 'object',
    required: ['state'],
    additionalProperties: false,
    properties: {
      state: { type: 'string', enum: ['none', 'running', 'done', 'stopped'] },
      from: whole,
      to: { ...whole, description: 'The newest entry when it began.' },
      at: { ...whole, description: 'Everything up to this entry is in the store.' },
      entries: whole,
      readings: whole,
      faults: { ...whole, description: 'Uplinks that still give no readings.' },
      device: text,
      codec: text,
      startedBy: text,
      startedAt: time,
      endedAt: time,
    },
  },
  CodecHistory: {
    type: 'object',
    required: ['device', 'items'],
    additionalProperties: false,
    properties: {
      device: text,
      items: {
        type: 'array',
        items: {
          type: 'object',
          required: ['fromSeq', 'codec'],
          additionalProperties: false,
          properties: {
            fromSeq: { ...whole, description: 'The first ledger entry that it decoded.' },
            codec: { type: ['string', 'null'], description: 'Null where the sender decoded.' },
            version: { ...text, description: 'Of a built-in codec: that of the program.' },
            mapping: { ...text, description: 'The version of the rules of device and model.' },
          },
        },
      },
    },
  },
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
const draft = {
  required: true,
  content: {
    ...json('CodecInput'),
    'text/javascript': { schema: { type: 'string', minLength: 1 } },
  },
};

export const codecPaths = {
  '/api/v1/codecs': {
    get: {
      summary: 'Built-in codecs and scripts',
      parameters: query('limit', 'cursor'),
      responses: { '200': ok('Codecs'), ...refusals },
    },
  },
  '/api/v1/codecs/{id}': {
    parameters: [codecInPath],
    get: {
      summary: 'One codec with its versions and its script',
      parameters: query('version'),
      responses: { '200': ok('Codec'), ...refusals, '404': problem },
    },
    put: {
      summary: 'A new version, if it loads and its examples pass; devices follow it at once',
      requestBody: draft,
      responses: {
        ...{ '200': ok('Codec', 'Another version'), '201': ok('Codec', 'A new codec') },
        ...{ ...changes, '409': problem, '413': problem, '422': problem },
      },
    },
    delete: {
      summary: 'Forget a codec that no device uses',
      responses: {
        ...{ '204': { description: 'Gone' }, ...changes, '404': problem, '409': problem },
      },
    },
  },
  '/api/v1/codecs/{id}:dryrun': {
    parameters: [codecInPath],
    post: {
      summary: 'What a new version would change in the last kept uplinks; nothing is stored',
      parameters: [
        inQuery('uplinks'),
        inQuery('device', 'Of this one; else of all that follow the codec.'),
      ],
      requestBody: draft,
      responses: {
        ...{ '200': ok('DryRun'), ...changes, '404': problem },
        ...{ '409': problem, '413': problem, '422': problem },
      },
    },
  },
  '/api/v1/codecs/{id}/mapping': {
    parameters: [codecInPath],
    put: {
      summary: 'A new version of a script that differs only in how its fields are read',
      requestBody: { required: true, content: json('CodecMapping') },
      responses: {
        ...{ '200': ok('Codec'), ...changes, '404': problem, '409': problem, '422': problem },
      },
    },
  },
  '/api/v1/derive': {
    get: {
      summary: 'How far the derivation of kept uplinks is that was asked for last',
      responses: { '200': ok('Derive'), ...refusals },
    },
    post: {
      summary: 'Derive kept uplinks again and rewrite their points; one job at a time',
      requestBody: {
        required: true,
        content: { 'application/json': { schema: inputSchema(deriveInput) } },
      },
      responses: { '202': ok('Derive', 'Begun'), ...changes, '409': problem },
    },
    delete: {
      summary: 'Stop it; what is written stays',
      responses: { '204': { description: 'Stopped' }, ...changes, '404': problem },
    },
  },
  '/api/v1/devices/{id}/codec-history': {
    parameters: [deviceInPath],
    get: {
      summary: 'Which version of which codec decoded its uplinks, from which ledger entry on',
      responses: { '200': ok('CodecHistory'), ...refusals },
    },
  },
} as const;
