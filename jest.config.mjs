/** Jest runs the TypeScript sources as native ES modules; the types are stripped by test/setup. */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': '<rootDir>/test/setup/transform.mjs' },
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  globalSetup: '<rootDir>/test/setup/machine.mjs',
  testTimeout: 30_000,
  maxWorkers: 2,
  coverageProvider: 'v8',
  collectCoverageFrom: [
    '{gateway,decoders,config,dashboard,simulators}/**/*.ts',
    '!dashboard/web/**',
  ],
};
