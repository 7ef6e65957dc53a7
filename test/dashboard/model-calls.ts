/** Calls of the contract on models, mappings and limits; there is a codec named acme. */

export type Call = readonly [
  method: string,
  path: string,
  address: string,
  status: number,
  body?: string,
  headers?: Readonly<Record<string, string>>,
];

const ofModel = '/api/v1/models/{id}';
const mapping = '{"mapping":[{"from":"T 2","quantity":"water_temperature","unit":"[degF]"}]}';
const ownLimits = '{"limits":[{"quantity":"no2","expected":{"min":0,"max":90},"flat":null}]}';
const putMapping = ['put', '/api/v1/codecs/{id}/mapping'] as const;

export const modelCalls: readonly Call[] = [
  [...putMapping, '/api/v1/codecs/acme/mapping', 200, mapping],
  [...putMapping, '/api/v1/codecs/acme/mapping', 400, '[]'],
  [...putMapping, '/api/v1/codecs/acme/mapping', 422, '{"mapping":[{"from":"a","quantity":"b"}]}'],
  [...putMapping, '/api/v1/codecs/cayenne-lpp/mapping', 409, mapping],
  [...putMapping, '/api/v1/codecs/nobody/mapping', 404, mapping],
  ['put', ofModel, '/api/v1/models/acme%2Fth-1', 201, mapping],
  ['put', ofModel, '/api/v1/models/acme%2Fth-1', 200, ownLimits],
  ['put', ofModel, '/api/v1/models/acme%2Fth-1', 422, '{"limits":[{"quantity":"door"}]}'],
  ['put', ofModel, '/api/v1/models/acme%2Fth-1', 422, '{"color":"red"}'],
  ['put', ofModel, '/api/v1/models/acme%2Fth-1', 400, '{"name":'],
  ['put', ofModel, `/api/v1/models/${'x'.repeat(129)}`, 422, '{}'],
  ['get', '/api/v1/models', '/api/v1/models?q=acme&limit=5', 200],
  ['get', '/api/v1/models', '/api/v1/models?vendor=acme', 400],
  ['get', ofModel, '/api/v1/models/acme%2Fth-1', 200],
  ['get', ofModel, '/api/v1/models/nobody', 404],
  [
    ...(['put', '/api/v1/devices/{id}', '/api/v1/devices/meter-8', 201] as const),
    `{"kind":"cellular","model":"acme/th-1",${mapping.slice(1, -1)},${ownLimits.slice(1)}`,
  ],
  ['put', '/api/v1/devices/{id}', '/api/v1/devices/meter-8', 422, '{"kind":"cellular","limits":5}'],
  ['get', '/api/v1/devices/{id}', '/api/v1/devices/meter-8', 200],
  ['delete', ofModel, '/api/v1/models/acme%2Fth-1', 409],
  ['delete', '/api/v1/devices/{id}', '/api/v1/devices/meter-8', 204],
  ['delete', ofModel, '/api/v1/models/acme%2Fth-1', 204],
  ['delete', ofModel, '/api/v1/models/acme%2Fth-1', 404],
  ['get', '/api/v1/unmapped', '/api/v1/unmapped?device=meter-7', 200],
  ['get', '/api/v1/unmapped', '/api/v1/unmapped?limit=0', 400],
];
