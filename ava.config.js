import { join } from 'node:path'

export default {
  files: ['test/**/*.test.ts'],
  extensions: ['ts'],
  nodeArguments: ['--disable-warning=ExperimentalWarning'],
  // Loading the program takes most of the time of a short test.
  environmentVariables: {
    NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/compiled'),
  },
  require: ['./test/helpers/seed.ts'],
  timeout: '5m',
  concurrency: 2,
}
