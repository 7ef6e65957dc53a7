/** The part of the API's document that tells of MQTT clients, bans and the audit log. */
import { banKinds } from '../../gateway/transports/mqtt/bans.ts';
import { banInput } from '../request/input.ts';
import { inputSchema } from '../request/input-schema.ts';
import { inQuery, query } from '../request/parameters.ts';
import { listOf } from './schemas.ts';

const text = { type: 'string' } as const;
const whole = { type: 'integer', minimum: 0 } as const;
const amount = { type: 'number', minimum: 0 } as const;
const time = { type: 'string', format: 'date-time' } as const;
const banKind = { type: 'string', enum: banKinds } as const;

export const clientSchemas = {
  Client: {
    type: 'object',
    required: [
      ...(['clientId', 'username', 'address', 'listener', 'since', 'vouches'] as const),
      ...(['cleanSession', 'messages', 'bytes', 'messagesPerSecond', 'bytesPerSecond'] as const),
      ...(['inFlight', 'waiting', 'subscriptions'] as const),
    ],
    additionalProperties: false,
    properties: {
      clientId: text,
      username: { ...text, description: 'The account it has signed in with.' },
      deviceId: { ...text, description: 'The one device that the account belongs to.' },
      address: text,
      listener: { type: 'string', enum: ['mqtt', 'mqtts', 'mqtt-websocket'] },
      since: time,
      vouches: { type: 'string', enum: ['network-server', 'tls-client', 'credential'] },
      cleanSession: { type: 'boolean' },
      messages: { ...whole, description: 'Received from it since it connected.' },
      bytes: whole,
      messagesPerSecond: { ...amount, description: 'Over the last five to ten seconds.' },
      bytesPerSecond: amount,
      inFlight: { ...whole, description: 'Messages from it that have no receipt yet.' },
      waiting: { ...whole, description: 'Messages for it that it has not acknowledged.' },
      subscriptions: {
        type: 'array',
        items: {
          type: 'object',
          required: ['filter', 'qos'],
          additionalProperties: false,
          properties: { filter: text, qos: { type: 'integer', minimum: 0, maximum: 2 } },
        },
      },
    },
  },
  Clients: listOf('Client'),
  BanInput: inputSchema(banInput),
  Ban: {
    type: 'object',
    required: ['id', 'kind', 'value', 'since', 'until', 'reason', 'by'],
    additionalProperties: false,
    properties: {
      id: text,
      kind: banKind,
      value: text,
      credential: { ...text, description: 'The client id is banned for this credential only.' },
      since: time,
      until: time,
      reason: text,
      by: { ...text, description: '`gateway` for a ban of its own.' },
    },
  },
  Bans: {
    type: 'object',
    required: ['items'],
    additionalProperties: false,
    properties: { items: { type: 'array', items: { $ref: '#/components/schemas/Ban' } } },
  },
  AuditEntry: {
    type: 'object',
    required: ['seq', 'at', 'event'],
    additionalProperties: false,
    properties: {
      seq: { ...whole, description: 'Without gaps.' },
      at: time,
      event: {
        ...text,
        description:
          'One of `connect`, `refuse`, `takeover`, `disconnect`, `kick`, `ban`, `lift`, ' +
          '`credential`, `token`, `keys`, `reload` and `reload-failed`.',
      },
      by: { ...text, description: 'Who did it; absent for what the gateway did.' },
      clientId: text,
      credential: text,
      address: text,
      detail: text,
      heldBack: { ...whole, description: 'Entries of this kind and source that were not written.' },
      lost: { ...whole, description: 'Entries before this one that there was no room for.' },
    },
  },
  Audit: listOf('AuditEntry'),
} as const;

const ref = (schema: string) => ({ $ref: `#/components/schemas/${schema}` });
const answer = (schema: string, description = 'OK') => ({
  description,
  content: { 'application/json': { schema: ref(schema) } },
});
const problem = {
  description: 'Refused [RFC 9457].',
  content: { 'application/problem+json': { schema: ref('Problem') } },
};
const refusals = { '400': problem, '401': problem, '403': problem };
const id = { name: 'id', in: 'path', required: true, schema: text };

export const clientPaths = {
  '/api/v1/clients': {
    get: {
      summary: 'Who is connected over MQTT; for administrators',
      parameters: [
        inQuery('q', 'Text in client id, user name or address.'),
        ...query('limit', 'cursor'),
      ],
      responses: { '200': answer('Clients'), ...refusals },
    },
  },
  '/api/v1/clients/{id}:disconnect': {
    parameters: [id],
    post: {
      summary: 'End the connection of a client, which may come back',
      responses: { '204': { description: 'Ended' }, ...refusals, '404': problem },
    },
  },
  '/api/v1/bans': {
    get: { summary: 'Who may not connect', responses: { '200': answer('Bans'), ...refusals } },
    post: {
      summary: 'Ban a client id, a credential or an address until a time',
      requestBody: {
        required: true,
        content: { 'application/json': { schema: ref('BanInput') } },
      },
      responses: { '201': answer('Ban', 'Banned, and cut'), ...refusals, '409': problem },
    },
  },
  '/api/v1/bans/{id}': {
    parameters: [id],
    delete: {
      summary: 'Lift a ban',
      responses: { '204': { description: 'Lifted' }, ...refusals, '404': problem },
    },
  },
  '/api/v1/audit': {
    get: {
      summary: 'What was done and refused, newest first; for administrators',
      parameters: query('event', 'limit', 'auditCursor'),
      responses: { '200': answer('Audit'), ...refusals },
    },
  },
} as const;
