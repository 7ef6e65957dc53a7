/** The answer of `GET /api/v1/sources` as JSON Schema. */
import { faultSentences } from '../gateway/model/fault.ts';

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
    required: ['now', 'since', 'items'],
    additionalProperties: false,
    properties: {
      now: time,
      since: { ...time, description: 'When counting began: nothing of it outlives a restart.' },
      items: { type: 'array', items: { $ref: '#/components/schemas/Source' } },
    },
  },
} as const;
