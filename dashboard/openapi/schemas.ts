/**
 * The bodies of the HTTP API as JSON Schema; protocol.ts has the same as types, and tests hold
 * answers against these.
 */
import { deviceKeyNames, deviceShape } from '../../gateway/lorawan/device-input.ts';
import { inputSchema } from '../request/input-schema.ts';
import { limitsList, mappingList } from './models.ts';

const text = { type: 'string' } as const;
const time = { type: 'string', format: 'date-time' } as const;
const whole = { type: 'integer', minimum: 0 } as const;
const quality = {
  type: 'integer',
  enum: [1, 2, 3, 4, 9],
  description: 'QARTOD: 1 pass, 2 not evaluated, 3 suspect, 4 fail, 9 missing.',
} as const;
const vouchedBy = {
  type: 'string',
  enum: ['mic', 'network-server', 'tls-client', 'credential'],
  description:
    'Who vouches, strongest first: mic means that the gateway verified the frame itself.',
} as const;
const value = { oneOf: [{ type: 'number' }, { type: 'string' }] } as const;
const location = {
  type: 'object',
  required: ['latitude', 'longitude'],
  additionalProperties: false,
  properties: {
    latitude: { type: 'number', minimum: -90, maximum: 90 },
    longitude: { type: 'number', minimum: -180, maximum: 180 },
    altitude: { type: 'number', description: 'Metres.' },
  },
} as const;

const storedReading = {
  device: text,
  quantity: { ...text, description: 'Of the vocabulary, or x_… for a value without a mapping.' },
  channel: text,
  value,
  unit: { ...text, description: 'UCUM.' },
  time: { ...time, description: 'When it was measured.' },
  quality,
  vouchedBy,
  seq: { ...whole, description: 'Its place in the ledger.' },
  codec: { ...text, description: 'What made it, as `id@version#rules`; with `codec=true`.' },
} as const;
const storedRequired = [
  'device',
  'quantity',
  'value',
  'unit',
  'time',
  'quality',
  'vouchedBy',
  'seq',
];

const device = {
  id: { type: 'string', pattern: '^[A-Za-z0-9_.:-]{1,64}$' },
  kind: { type: 'string', enum: ['lorawan', 'cellular'] },
  name: text,
  agency: text,
  area: text,
  location,
  model: { ...text, description: 'The id of a device model, or any name.' },
  firmware: { ...text, description: 'Which firmware of its model; the last one if absent.' },
  codec: { ...text, description: 'That of its model if absent.' },
  activation: { type: 'string', enum: ['otaa', 'abp'] },
  counterReset: {
    type: 'string',
    enum: ['never', 'after-silence', 'always'],
    description: 'Whether it may count its frames anew under the same keys; for `abp` only.',
  },
  macVersion: text,
  joinEui: text,
  devAddr: { type: 'string', pattern: '^[0-9a-f]{8}$' },
  tags: { type: 'object', additionalProperties: text },
  mapping: mappingList,
  limits: limitsList,
} as const;

const key = {
  description: 'In hex, or wrapped by RFC 3394 with a key of `keys.keks`.',
  writeOnly: true,
  oneOf: [
    { type: 'string', pattern: '^[0-9a-fA-F]{32}$' },
    {
      type: 'object',
      required: ['KEKLabel', 'AESKey'],
      properties: {
        KEKLabel: { type: 'string', pattern: '^[A-Za-z0-9_.:-]{1,64}$' },
        AESKey: { type: 'string', pattern: '^[0-9a-fA-F]{48}$' },
      },
    },
  ],
} as const;

const deviceInput = inputSchema(deviceShape);

export function listOf(item: string) {
  return {
    type: 'object',
    required: ['items'],
    properties: {
      items: { type: 'array', items: { $ref: `#/components/schemas/${item}` } },
      nextCursor: { ...text, description: 'Give it as `cursor` for the next page.' },
    },
    additionalProperties: false,
  };
}

export const schemas = {
  Device: {
    type: 'object',
    required: ['id', 'kind', 'registered'],
    additionalProperties: false,
    properties: {
      ...device,
      fromModel: {
        type: 'object',
        required: ['name'],
        additionalProperties: false,
        description: 'What it has from its model, where it does not say it itself.',
        properties: { name: text, codec: text, macVersion: text },
      },
      registered: { type: 'boolean', description: 'False for one that was only heard.' },
      lastSeen: time,
    },
  },
  DeviceInput: {
    ...deviceInput,
    required: ['kind'],
    properties: {
      ...deviceInput.properties,
      mapping: mappingList,
      limits: limitsList,
      keys: {
        type: 'object',
        writeOnly: true,
        additionalProperties: false,
        properties: Object.fromEntries(deviceKeyNames.map((name) => [name, key])),
      },
    },
  },
  Devices: listOf('Device'),
  ImportResult: {
    type: 'object',
    required: ['imported', 'failed', 'rows'],
    additionalProperties: false,
    properties: {
      imported: whole,
      failed: whole,
      rows: {
        type: 'array',
        items: {
          type: 'object',
          required: ['row', 'ok'],
          additionalProperties: false,
          properties: {
            row: { type: 'integer', minimum: 1 },
            id: text,
            ok: { type: 'boolean' },
            errors: { type: 'array', items: { $ref: '#/components/schemas/FieldError' } },
          },
        },
      },
    },
  },
  FieldError: {
    type: 'object',
    required: ['path', 'detail'],
    additionalProperties: false,
    properties: { path: text, detail: text },
  },
  Reading: {
    type: 'object',
    required: storedRequired,
    additionalProperties: false,
    properties: storedReading,
  },
  Aggregate: {
    type: 'object',
    required: ['time', 'value'],
    additionalProperties: false,
    properties: {
      time: { ...time, description: 'Start of the window.' },
      value: { type: 'number' },
    },
  },
  Readings: {
    type: 'object',
    required: ['items'],
    additionalProperties: false,
    properties: {
      items: {
        type: 'array',
        items: {
          oneOf: [
            { $ref: '#/components/schemas/Reading' },
            { $ref: '#/components/schemas/Aggregate' },
          ],
        },
      },
      nextCursor: text,
    },
  },
  Latest: {
    type: 'object',
    required: ['now', 'items'],
    additionalProperties: false,
    properties: {
      now: time,
      items: {
        type: 'array',
        items: {
          type: 'object',
          required: [...storedRequired, 'receivedAt', 'ageSeconds'],
          additionalProperties: false,
          properties: { ...storedReading, receivedAt: time, ageSeconds: whole },
        },
      },
      nextCursor: text,
    },
  },
  Quantities: {
    type: 'object',
    required: ['items'],
    additionalProperties: false,
    properties: {
      items: {
        type: 'array',
        items: {
          type: 'object',
          required: ['quantity', 'kind', 'names'],
          properties: {
            quantity: text,
            kind: { type: 'string', enum: ['number', 'state'] },
            unit: text,
            names: {
              type: 'object',
              required: ['az', 'ru', 'en'],
              properties: { az: text, ru: text, en: text },
            },
          },
        },
      },
    },
  },
  Uplink: {
    type: 'object',
    required: ['seq', 'outcome', 'receivedAt', 'transport', 'route', 'credential'],
    additionalProperties: false,
    properties: {
      seq: whole,
      outcome: { type: 'string', enum: ['accepted', 'copy', 'replayed', 'quarantined', 'event'] },
      receivedAt: time,
      transport: { type: 'string', enum: ['mqtt', 'http', 'udp', 'coap'] },
      route: text,
      credential: text,
      adapter: text,
      device: text,
      devAddr: text,
      fPort: whole,
      fCnt: whole,
      confirmed: { type: 'boolean' },
      frmPayload: { type: 'string', pattern: '^([0-9a-f]{2})*$' },
      phyPayload: { type: 'string', pattern: '^([0-9a-f]{2})*$' },
      frame: { $ref: '#/components/schemas/Frame' },
      object: { type: 'object' },
      measurements: {
        type: 'array',
        description: 'What the sender measured, in its own names and units.',
        items: {
          type: 'object',
          required: ['name', 'value'],
          additionalProperties: false,
          properties: {
            name: text,
            value: { type: ['number', 'string', 'boolean'] },
            unit: text,
            time,
            channel: text,
          },
        },
      },
      rxTime: time,
      txInfo: {
        type: 'object',
        additionalProperties: false,
        properties: {
          frequency: { type: 'number', description: 'Hz' },
          bandwidth: { type: 'number', description: 'Hz' },
          spreadingFactor: whole,
        },
      },
      rxInfo: {
        type: 'array',
        items: {
          type: 'object',
          required: ['gatewayId'],
          additionalProperties: false,
          properties: {
            gatewayId: text,
            rssi: { type: 'number', description: 'dBm' },
            snr: { type: 'number', description: 'dB' },
            rxTime: time,
            location,
          },
        },
      },
      radio: { type: 'object' },
      vouchedBy,
      fault: {
        type: 'object',
        required: ['code', 'detail'],
        additionalProperties: false,
        properties: { code: text, detail: text },
      },
      copyOf: whole,
      counterBefore: {
        ...whole,
        description: 'The counter before, where the device began to count anew with this frame.',
      },
      event: text,
      body: { ...text, contentEncoding: 'base64' },
    },
  },
  Uplinks: listOf('Uplink'),
  Snapshot: {
    type: 'object',
    required: ['epoch', 'seq', 'now', 'series', 'rows'],
    additionalProperties: false,
    properties: {
      epoch: text,
      seq: whole,
      now: whole,
      series: { type: 'array', items: { type: 'array' } },
      rows: { type: 'array', items: { type: 'array' } },
    },
  },
  Health: {
    type: 'object',
    required: ['ready', 'dependencies'],
    additionalProperties: false,
    properties: {
      ready: { type: 'boolean' },
      dependencies: {
        type: 'array',
        items: {
          type: 'object',
          required: ['name', 'ok'],
          additionalProperties: false,
          properties: { name: text, ok: { type: 'boolean' }, reason: text },
        },
      },
    },
  },
  Problem: {
    type: 'object',
    required: ['type', 'title', 'status', 'detail'],
    additionalProperties: false,
    properties: {
      type: { type: 'string', const: 'about:blank' },
      title: { type: 'string', description: 'The phrase of the status [RFC 9457, 4.2.1].' },
      status: { type: 'integer' },
      detail: { type: 'string', description: 'What is wrong, and what would be right.' },
      errors: { type: 'array', items: { $ref: '#/components/schemas/FieldError' } },
    },
  },
} as const;
