/** The floors of the house: imports point downward only, without circles and orphans. */

/** Where the parts are joined: above every part, and below them the page that joins it all. */
const joining = 'derivation|doors|operation|holdings|[^/]+\\.ts$';
/** Above those rooms in turn; the log is below all of them. */
const above = 'cli/|(?!log\\.ts$)[^/]+\\.ts$';

const floors = [
  ['decoders', '^decoders/', '^(gateway|config|dashboard|simulators|bench)/'],
  ['config', '^config/', '^(gateway|decoders|dashboard|simulators|bench)/'],
  ['model', '^gateway/model/', '^(gateway/(?!model/)|dashboard|simulators|bench)'],
  [
    'transports, adapters, lorawan and ledger',
    '^gateway/(transports|adapters|lorawan|ledger)/',
    `^(gateway/(pipeline|stores|live|cli|${joining})|dashboard|simulators|bench)`,
  ],
  [
    'stores and pipeline',
    '^gateway/(stores|pipeline)/',
    `^(gateway/(live|cli|${joining})|dashboard|simulators|bench)`,
  ],
  ['live', '^gateway/live/', `^(gateway/(cli|${joining})|dashboard|simulators|bench)`],
  ['codecs', '^gateway/codecs/', '^(gateway/(?!codecs/|model/)|dashboard|simulators|bench)'],
  ['dashboard', '^dashboard/', `^(gateway/(cli|${joining})|simulators|bench)`],
  [
    'holdings',
    '^gateway/holdings/',
    `^(gateway/(derivation/|doors/|operation/|${above})|simulators|bench)`,
  ],
  ['operation', '^gateway/operation/', `^(gateway/(derivation/|doors/|${above})|simulators|bench)`],
  ['doors', '^gateway/doors/', `^(gateway/(derivation/|operation/|${above})|simulators|bench)`],
  ['derivation', '^gateway/derivation/', `^(gateway/(doors/|${above})|simulators|bench)`],
  ['simulators', '^simulators/', '^(gateway|decoders|config|dashboard|bench)/'],
];

const neighbours = ['transports', 'adapters', 'lorawan', 'ledger'];

const oneImporter = [
  ['lora-packet', '^gateway/lorawan/frame\\.ts$'],
  ['aedes', '^gateway/transports/mqtt/broker\\.ts$'],
  ['influx', '^gateway/stores/influx/'],
  ['@duckdb/node-api', '^gateway/stores/embedded/'],
  ['quickjs-emscripten', '^gateway/codecs/engine\\.ts$'],
];

module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: {
        orphan: true,
        // A script that stands on what the tests stand on, which is left out below.
        pathNot: ['\\.d\\.ts$', '(^|/)vite\\.config\\.ts$', '^bench/kill-soak\\.ts$'],
      },
      to: {},
    },
    ...floors.map(([name, from, to]) => ({
      name: `floor: ${name}`,
      severity: 'error',
      from: { path: from },
      to: { path: to },
    })),
    ...neighbours.map((room) => ({
      name: `${room} has no neighbours`,
      severity: 'error',
      from: { path: `^gateway/${room}/` },
      to: { path: `^gateway/(${neighbours.filter((other) => other !== room).join('|')})/` },
    })),
    {
      name: 'the page imports only the protocol',
      severity: 'error',
      from: { path: '^dashboard/web/' },
      to: { path: '^(gateway|decoders|config|simulators|dashboard/(?!web/|protocol\\.ts))' },
    },
    ...oneImporter.map(([library, importer]) => ({
      name: `one door to ${library}`,
      severity: 'error',
      from: { path: '^(gateway|dashboard|config|decoders|simulators)/', pathNot: importer },
      to: { path: `node_modules/${library}/` },
    })),
    {
      name: 'no undeclared dependencies',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage|test)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
