/** The part of the API's document that tells of the MQTT credentials of single devices. */
import { credentialsInput, rotateInput } from '../request/input.ts';
import { inputSchema } from '../request/input-schema.ts';
import { deviceInPath, query } from '../request/parameters.ts';
import { listOf } from './schemas.ts';

const text = { type: 'string' } as const;
const time = { type: 'string', format: 'date-time' } as const;
const secret = { ...text, description: 'Shown this once; the gateway keeps a hash.' } as const;

export const credentialSchemas = {
  Credential: {
    type: 'object',
    required: ['deviceId', 'secrets'],
    additionalProperties: false,
    properties: {
      deviceId: { ...text, description: 'The user name, too.' },
      agency: text,
      application: text,
      secrets: {
        type: 'array',
        description: 'The newest first; more than one while the old one still holds.',
        items: {
          type: 'object',
          additionalProperties: false,
          properties: { validUntil: time },
        },
      },
    },
  },
  Credentials: listOf('Credential'),
  CredentialsInput: inputSchema(credentialsInput),
  CreatedCredentials: {
    type: 'object',
    required: ['items'],
    additionalProperties: false,
    properties: {
      items: {
        type: 'array',
        items: {
          type: 'object',
          required: ['deviceId', 'ok'],
          additionalProperties: false,
          properties: { deviceId: text, ok: { type: 'boolean' }, secret, detail: text },
        },
      },
    },
  },
  RotateInput: inputSchema(rotateInput),
  RotatedCredential: {
    type: 'object',
    required: ['deviceId', 'secret', 'oldUntil'],
    additionalProperties: false,
    properties: { deviceId: text, secret, oldUntil: time },
  },
} as const;

const ref = (schema: string) => ({ $ref: `#/components/schemas/${schema}` });
const content = (schema: string) => ({ 'application/json': { schema: ref(schema) } });
const answer = (schema: string) => ({ description: 'OK', content: content(schema) });
const problem = {
  description: 'Refused [RFC 9457].',
  content: { 'application/problem+json': { schema: ref('Problem') } },
};
const refusals = { '400': problem, '401': problem, '403': problem };

export const credentialPaths = {
  '/api/v1/credentials': {
    get: {
      summary: 'Devices with MQTT credentials of their own; for administrators',
      parameters: query('limit', 'cursor'),
      responses: { '200': answer('Credentials'), ...refusals },
    },
    post: {
      summary: 'Draw secrets for many devices; one answer each. Who has a credential keeps it',
      requestBody: { required: true, content: content('CredentialsInput') },
      responses: { '200': answer('CreatedCredentials'), ...refusals },
    },
  },
  '/api/v1/credentials/{id}:rotate': {
    parameters: [deviceInPath],
    post: {
      summary: 'Draw a new secret; the old one, and connections made with it, end after a while',
      requestBody: { required: false, content: content('RotateInput') },
      responses: { '200': answer('RotatedCredential'), ...refusals, '404': problem },
    },
  },
  '/api/v1/credentials/{id}': {
    parameters: [deviceInPath],
    delete: {
      summary: 'Take all secrets of a device away, and the connections made with them',
      responses: { '204': { description: 'Revoked' }, ...refusals, '404': problem },
    },
  },
} as const;
