/** A LoRaWAN frame of the ledger as JSON Schema. */

const text = { type: 'string' } as const;
const whole = { type: 'integer', minimum: 0 } as const;
const flag = { type: 'boolean' } as const;

const macCommand = {
  type: 'object',
  required: ['name', 'cid', 'fields'],
  additionalProperties: false,
  properties: {
    name: { ...text, description: 'Of the specification; `Proprietary` or `Unknown`.' },
    cid: whole,
    fields: {
      type: 'object',
      additionalProperties: { oneOf: [{ type: 'number' }, flag, text] },
      description: 'Frequencies in Hz; `bytes`, in hex, is what could not be read.',
    },
  },
} as const;

export const frameSchemas = {
  Frame: {
    type: 'object',
    required: ['mType', 'size'],
    additionalProperties: false,
    properties: {
      mType: text,
      size: { ...whole, description: 'Bytes of the PHYPayload.' },
      devAddr: text,
      fCtrl: {
        type: 'object',
        required: ['adr', 'adrAckReq', 'ack', 'fPending'],
        additionalProperties: false,
        properties: { adr: flag, adrAckReq: flag, ack: flag, fPending: flag },
      },
      fCnt16: { ...whole, description: 'The 16 bits that are on air.' },
      fPort: whole,
      payloadSize: whole,
      macCommands: { type: 'array', items: macCommand },
      joinEui: text,
      devEui: text,
      devNonce: whole,
      rejoinType: whole,
      rjCount: whole,
      netId: text,
      mic: text,
    },
  },
} as const;
