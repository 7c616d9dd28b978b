export default {
  files: ['test/**/*.test.ts'],
  extensions: ['ts'],
  nodeArguments: ['--disable-warning=ExperimentalWarning'],
  require: ['./test/helpers/seed.ts'],
  timeout: '5m',
  concurrency: 2,
}
