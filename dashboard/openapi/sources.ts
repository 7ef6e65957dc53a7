/** Where sources send to, and what `GET /api/v1/sources` tells of them, for the API's document. */
import { faultSentences } from '../../gateway/model/fault.ts';

const text = { type: 'string' } as const;
const time = { type: 'string', format: 'date-time' } as const;
const whole = { type: 'integer', minimum: 0 } as const;

const outcomes = {
  type: 'object',
  additionalProperties: false,
  properties: {
    accepted: whole,
    copy: whole,
    redelivery: whole,
    replayed: whole,
    quarantined: whole,
    event: whole,
  },
  description: 'What became of the items of its messages.',
} as const;

export const sourceSchemas = {
  Counts: {
    type: 'object',
    required: ['lastMinute', 'lastHour', 'total'],
    additionalProperties: false,
    properties: { lastMinute: whole, lastHour: whole, total: whole },
  },
  Source: {
    type: 'object',
    required: [
      ...(['adapter', 'credential', 'transport', 'lastSeen'] as const),
      ...(['messages', 'uplinks', 'outcomes', 'faults'] as const),
    ],
    additionalProperties: false,
    properties: {
      adapter: { ...text, description: '`unrouted` for what no adapter reads.' },
      credential: { ...text, description: '`*` stands for the devices with an account each.' },
      transport: { type: 'string', enum: ['mqtt', 'http', 'udp', 'coap'] },
      lastSeen: time,
      messages: { $ref: '#/components/schemas/Counts' },
      uplinks: { $ref: '#/components/schemas/Counts' },
      outcomes,
      faults: {
        type: 'array',
        items: {
          type: 'object',
          required: ['code', 'count', 'lastSeen', 'detail'],
          additionalProperties: false,
          properties: {
            code: { type: 'string', enum: Object.keys(faultSentences) },
            count: whole,
            lastSeen: time,
            detail: { ...text, description: 'Of the last one.' },
          },
        },
      },
      messageLagSeconds: {
        type: 'number',
        description: 'From the time that the newest message tells to its receipt.',
      },
      deriveLagSeconds: {
        type: 'number',
        minimum: 0,
        description: 'From the receipt of a message to its readings; grows while one waits.',
      },
    },
  },
  Sources: {
    type: 'object',
    required: ['now', 'since', 'listening', 'items'],
    additionalProperties: false,
    properties: {
      now: time,
      since: { ...time, description: 'When counting began: nothing of it outlives a restart.' },
      listening: {
        type: 'array',
        items: {
          type: 'object',
          required: ['name', 'host', 'port'],
          additionalProperties: false,
          properties: {
            name: { ...text, description: 'Of the door, such as `mqtt`, `http` or `udp`.' },
            host: { ...text, description: 'As configured; `0.0.0.0` and `::` stand for all.' },
            port: { type: 'integer', minimum: 1, maximum: 65_535 },
          },
        },
        description: 'Every door that is open.',
      },
      items: { type: 'array', items: { $ref: '#/components/schemas/Source' } },
    },
  },
} as const;

function refusal(description: string) {
  const schema = { $ref: '#/components/schemas/Problem' } as const;
  return { description, content: { 'application/problem+json': { schema } } } as const;
}

const retryAfter = {
  'Retry-After': { description: 'Seconds.', schema: { type: 'integer', minimum: 1 } },
} as const;

const anything = {} as const;

/** How a source proves who it is: each has one way, set up in `ingest.webhooks`. */
export const sourceSecurity = {
  sourceToken: {
    type: 'http',
    scheme: 'bearer',
    description: "The source's own token; it may be set up to stand alone in another header.",
  },
  sourceBasic: { type: 'http', scheme: 'basic' },
  sourceSignature: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Signature',
    description: 'HMAC of the body; header, hash and form are set up with the source.',
  },
  thingParkToken: {
    type: 'apiKey',
    in: 'query',
    name: 'Token',
    description: "ThingPark's hash over body, query and tunnel key, with its `Time` in the query.",
  },
} as const;

export const webhookPath = {
  parameters: [
    {
      name: 'source',
      in: 'path',
      required: true,
      schema: { type: 'string', pattern: '^[A-Za-z0-9_.-]{1,64}$' },
      description: 'A name in `ingest.webhooks.sources`.',
    },
  ],
  post: {
    summary: 'A webhook of a network server or modem; 204 once it is on disk',
    description:
      'The body is what the adapter of the source reads, uncompressed. The query is handed to it, ' +
      'such as `event=up`. What cannot be read is written down as quarantined and answered 204, ' +
      'since sending it again would not mend it. The same message sent again is stored once.',
    security: Object.keys(sourceSecurity).map((scheme) => ({ [scheme]: [] })),
    requestBody: {
      required: true,
      content: {
        'application/json': anything,
        'application/xml': anything,
        'application/cbor': anything,
        'application/x-protobuf': anything,
        'application/octet-stream': anything,
        'text/plain': anything,
      },
    },
    responses: {
      '204': { description: 'It is on disk, as an uplink or as quarantined' },
      '400': refusal('The body did not arrive whole.'),
      '401': {
        ...refusal('The credential of this source is missing or wrong.'),
        headers: {
          'WWW-Authenticate': {
            description:
              '`Bearer` or `Basic`; for another proof `HMAC`, `ApiKey` or `Hash`, with its place.',
            schema: { type: 'string' },
          },
        },
      },
      '404': refusal('No source has this name.'),
      '413': refusal('The body is larger than `ingest.webhooks.bodyBytesMax`.'),
      '414': refusal('The query is longer than `ingest.webhooks.queryLengthMax`.'),
      '415': {
        ...refusal('The body is of another media type, or compressed.'),
        headers: {
          'Accept-Post': { description: 'The types that would do.', schema: { type: 'string' } },
        },
      },
      '429': { ...refusal('The source sends more than its limit.'), headers: retryAfter },
      '503': {
        ...refusal('It could not be written down, or too many wait: send it again.'),
        headers: retryAfter,
      },
    },
  },
} as const;
