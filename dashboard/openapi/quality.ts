/** The answer of `GET /api/v1/uplinks/{seq}/quality` as JSON Schema. */
import { tests } from '../../gateway/pipeline/quality/verdict.ts';

const text = { type: 'string' } as const;
const flag = { enum: [1, 2, 3, 4, 9], description: 'QARTOD flag.' } as const;

export const qualitySchemas = {
  UplinkQuality: {
    type: 'object',
    required: ['seq', 'items'],
    additionalProperties: false,
    properties: {
      seq: { type: 'integer', minimum: 1 },
      items: {
        type: 'array',
        description: 'One for each reading; none where the entry gave none.',
        items: {
          type: 'object',
          required: [
            ...(['quantity', 'value', 'unit', 'time', 'quality', 'tests'] as const),
            ...(['limits', 'limitsFrom'] as const),
          ],
          additionalProperties: false,
          properties: {
            quantity: text,
            channel: text,
            value: { type: ['number', 'string'] },
            unit: text,
            time: { type: 'string', format: 'date-time' },
            quality: flag,
            tests: {
              type: 'object',
              description: 'What each test has found; 2 where it said nothing.',
              required: tests,
              additionalProperties: false,
              properties: Object.fromEntries(tests.map((test) => [test, flag])),
            },
            limits: {
              ...{ $ref: '#/components/schemas/Limits' },
              description: 'What is asked of its series today; null for a test that is not made.',
            },
            limitsFrom: {
              type: 'object',
              description: 'Who says each of the limits.',
              additionalProperties: {
                type: 'string',
                enum: ['vocabulary', 'configuration', 'model', 'device'],
              },
            },
          },
        },
      },
    },
  },
} as const;
