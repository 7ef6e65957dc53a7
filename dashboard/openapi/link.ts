/** The answer of `GET /api/v1/devices/{id}/link` as JSON Schema. */

const text = { type: 'string' } as const;
const time = { type: 'string', format: 'date-time' } as const;
const whole = { type: 'integer', minimum: 0 } as const;
const seconds = { type: 'number', minimum: 0 } as const;
const rssi = { type: 'number', description: 'dBm, mean' } as const;
const snr = { type: 'number', description: 'dB, mean' } as const;

export const linkSchemas = {
  Link: {
    type: 'object',
    required: [
      ...(['device', 'received', 'lost', 'lossRatio', 'resets'] as const),
      ...(['airtimeSeconds', 'gateways', 'trend'] as const),
    ],
    additionalProperties: false,
    properties: {
      device: text,
      received: { ...whole, description: 'Uplinks looked at, the newest.' },
      lost: { type: 'integer', description: 'Missing between their counters.' },
      lossRatio: { type: 'number', minimum: 0, maximum: 1 },
      resets: { ...whole, description: 'Times that the counter began anew.' },
      airtimeSeconds: seconds,
      gateways: {
        type: 'array',
        description: 'The best first.',
        items: {
          type: 'object',
          required: ['gatewayId', 'receptions', 'best', 'lastHeard'],
          additionalProperties: false,
          properties: {
            gatewayId: text,
            receptions: whole,
            best: { ...whole, description: 'Uplinks that it heard better than any other.' },
            rssi,
            snr,
            lastHeard: time,
          },
        },
      },
      trend: {
        type: 'array',
        description: 'Periods of equal length, those with uplinks; means of the best gateway.',
        items: {
          type: 'object',
          required: ['from', 'to', 'received', 'lost', 'airtimeSeconds'],
          additionalProperties: false,
          properties: {
            from: time,
            to: time,
            received: whole,
            lost: { type: 'integer' },
            rssi,
            snr,
            spreadingFactor: { type: 'number' },
            margin: { type: 'number', description: 'dB above what this spreading factor needs.' },
            airtimeSeconds: seconds,
          },
        },
      },
    },
  },
} as const;
