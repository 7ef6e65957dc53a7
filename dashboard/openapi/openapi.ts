/**
 * OpenAPI 3.1 of the HTTP API, served as `/api/v1/openapi.json`; a test walks every operation of
 * it.
 */
import { sessionInput } from '../request/input.ts';
import { inputSchema } from '../request/input-schema.ts';
import { deviceInPath, inQuery, query, seqMax } from '../request/parameters.ts';
import { clientPaths, clientSchemas } from './clients.ts';
import { codecPaths, codecSchemas } from './codecs.ts';
import { credentialPaths, credentialSchemas } from './credentials.ts';
import { frameSchemas } from './frames.ts';
import { linkSchemas } from './link.ts';
import { modelPaths, modelSchemas } from './models.ts';
import { qualitySchemas } from './quality.ts';
import { methods, type Operation, withRefusals } from './refusals.ts';
import { schemas as otherSchemas } from './schemas.ts';
import { sourceSchemas, sourceSecurity, webhookPath } from './sources.ts';

const schemas = {
  ...otherSchemas,
  ...sourceSchemas,
  ...frameSchemas,
  ...linkSchemas,
  ...codecSchemas,
  ...modelSchemas,
  ...qualitySchemas,
  ...clientSchemas,
  ...credentialSchemas,
} as const;

type SchemaName = keyof typeof schemas;

function ok(schema: SchemaName, description = 'OK') {
  return { description, content: { 'application/json': { schema: ref(schema) } } };
}

function ref(schema: SchemaName) {
  return { $ref: `#/components/schemas/${schema}` };
}

const problem = {
  description: 'Refused [RFC 9457].',
  content: { 'application/problem+json': { schema: ref('Problem') } },
};
const refusals = { '400': problem, '401': problem };
const storeRefusals = { ...refusals, '503': problem };
const seqInPath = {
  ...{ name: 'seq', in: 'path', required: true },
  schema: { type: 'integer', minimum: 1, maximum: seqMax },
};
const jsonBody = (schema: object) => ({
  required: true,
  content: { 'application/json': { schema } },
});

export const openApi = {
  openapi: '3.1.0',
  info: {
    title: 'Fieldgate',
    version: '1',
    description:
      'Readings, devices and the ledger of an IoT connectivity gateway. Times are RFC 3339 UTC, units UCUM.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  servers: [{ url: '/' }],
  security: [{ bearer: [] }, { session: [] }],
  paths: withRefusals({
    '/healthz/live': {
      get: {
        summary: 'The process runs',
        security: [],
        responses: { '200': { description: 'OK' } },
      },
    },
    '/healthz/ready': {
      get: {
        summary: 'Each dependency, with the reason when it is not well',
        security: [],
        responses: { '200': ok('Health'), '503': ok('Health', 'Not ready') },
      },
    },
    '/metrics': {
      get: {
        summary: 'Prometheus metrics',
        security: [],
        responses: { '200': { description: 'OK', content: { 'text/plain': {} } } },
      },
    },
    '/api/v1/openapi.json': {
      get: { summary: 'This document', security: [], responses: { '200': { description: 'OK' } } },
    },
    '/api/v1/session': {
      post: {
        summary: 'Sign in with a token; sets a cookie',
        security: [],
        requestBody: jsonBody(inputSchema(sessionInput)),
        responses: {
          '204': { description: 'Signed in' },
          ...refusals,
          '403': problem,
          '429': { ...problem, headers: { 'Retry-After': { schema: { type: 'integer' } } } },
        },
      },
      delete: {
        summary: 'Sign out',
        security: [],
        responses: { '204': { description: 'Signed out' } },
      },
    },
    '/api/v1/devices': {
      get: {
        summary: 'Devices, registered or heard',
        parameters: query(
          'kind',
          'agency',
          'area',
          'model',
          'codec',
          'q',
          'registered',
          'limit',
          'cursor',
        ),
        responses: { '200': ok('Devices'), ...refusals },
      },
    },
    '/api/v1/devices/{id}': {
      parameters: [deviceInPath],
      get: {
        summary: 'One device',
        responses: { '200': ok('Device'), ...refusals, '404': problem },
      },
      put: {
        summary: 'Register or replace a device; keys are write-only',
        requestBody: jsonBody(ref('DeviceInput')),
        responses: {
          '200': ok('Device', 'Replaced'),
          '201': ok('Device', 'Registered'),
          ...refusals,
          '403': problem,
          '422': problem,
        },
      },
      delete: {
        summary: 'Forget a device and its keys; its readings stay',
        responses: { '204': { description: 'Gone' }, ...refusals, '403': problem, '404': problem },
      },
    },
    '/api/v1/devices/{id}/link': {
      parameters: [deviceInPath],
      get: {
        summary:
          'How well a device is heard: loss, gateways, trend and airtime of its last uplinks',
        parameters: [inQuery('limit', '200 by default.')],
        responses: { '200': ok('Link'), ...refusals, '404': problem },
      },
    },
    '/api/v1/devices:import': {
      post: {
        summary:
          'Register many devices; one result a row. Exports of ChirpStack and The Things Stack too',
        parameters: query('atomic'),
        requestBody: {
          required: true,
          content: {
            'application/json': { schema: { type: 'array', items: ref('DeviceInput') } },
            'text/csv': { schema: { type: 'string' } },
          },
        },
        responses: { '200': ok('ImportResult'), ...refusals, '403': problem, '413': problem },
      },
    },
    ...codecPaths,
    ...modelPaths,
    ...clientPaths,
    ...credentialPaths,
    '/api/v1/readings': {
      get: {
        summary: 'History of one device, raw or aggregated over windows',
        parameters: [
          { ...inQuery('device'), required: true },
          ...query('quantity', 'channel', 'from', 'to', 'every', 'agg'),
          ...query('manyRows', 'readingCursor', 'withCodec'),
        ],
        responses: { '200': ok('Readings'), ...storeRefusals },
      },
    },
    '/api/v1/latest': {
      get: {
        summary: 'The last value of every series, with its age and who vouches',
        parameters: query('device', 'area', 'quantity', 'manyRows', 'seriesCursor'),
        responses: { '200': ok('Latest'), ...refusals },
      },
    },
    '/api/v1/quantities': {
      get: { summary: 'The vocabulary', responses: { '200': ok('Quantities'), ...refusals } },
    },
    '/api/v1/uplinks': {
      get: {
        summary: 'The ledger, newest first, or oldest first after a seq',
        parameters: query('device', 'outcome', 'fault', 'after', 'limit', 'uplinkCursor'),
        responses: { '200': ok('Uplinks'), ...refusals },
      },
    },
    '/api/v1/uplinks/{seq}': {
      parameters: [seqInPath],
      get: {
        summary: 'One ledger entry with the bytes as they came',
        responses: { '200': ok('Uplink'), ...refusals, '404': problem },
      },
    },
    '/api/v1/uplinks/{seq}/quality': {
      parameters: [seqInPath],
      get: {
        summary: 'What each quality test has found of the readings of a ledger entry',
        responses: { '200': ok('UplinkQuality'), ...refusals, '404': problem },
      },
    },
    '/api/v1/sources': {
      get: {
        summary: 'Who sends, how much and how well, counted since the start',
        responses: { '200': ok('Sources'), ...refusals },
      },
    },
    '/ingest/{source}': webhookPath,
    '/api/v1/snapshot': {
      get: {
        summary: 'The picture that the live stream starts from',
        parameters: query('view', 'device', 'area'),
        responses: { '200': ok('Snapshot'), ...refusals },
      },
    },
    '/api/v1/live': {
      get: {
        summary: 'The live stream as server-sent events; `GET /live` is the WebSocket',
        parameters: query('view', 'device', 'area', 'rate'),
        responses: {
          '200': { description: 'OK', content: { 'text/event-stream': {} } },
          ...storeRefusals,
        },
      },
    },
  }),
  components: {
    schemas,
    securitySchemes: {
      bearer: { type: 'http', scheme: 'bearer' },
      session: { type: 'apiKey', in: 'cookie', name: 'fieldgate_session' },
      ...sourceSecurity,
    },
  },
} as const;

/** In capitals, too, as the routes are. The longest first: `/codecs/{id}` would take what is of `/codecs/{id}:dryrun`. */
const paths = Object.entries(openApi.paths)
  .sort(([left], [right]) => right.length - left.length)
  .map(([path, item]) => ({
    pattern: new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}/?$`, 'i'),
    operations: new Map<string, Operation>(
      methods.flatMap((method) => {
        const operation = item[method];
        return operation === undefined ? [] : [[method.toUpperCase(), operation] as const];
      }),
    ),
  }));

function operationsOf(path: string): ReadonlyMap<string, Operation> | undefined {
  return paths.find(({ pattern }) => pattern.test(path))?.operations;
}

/** The methods that a path has; empty for a path that is not of this contract. */
export function methodsOf(path: string): readonly string[] {
  const methods = [...(operationsOf(path)?.keys() ?? [])];
  return methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
}

/** The names of the query parameters of an operation; undefined when there is no such. */
export function parametersOf(path: string, method: string): readonly string[] | undefined {
  const operation = operationsOf(path)?.get(method === 'HEAD' ? 'GET' : method);
  const parameters = operation === undefined ? undefined : (operation.parameters ?? []);
  return parameters?.filter((one) => one.in === 'query').map(({ name }) => name);
}
