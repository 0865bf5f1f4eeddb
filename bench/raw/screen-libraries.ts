/** What a dashboard cannot start without, loaded: Ink, React and the client. Says so when it is there. */
process.env['NODE_ENV'] = 'production'
await Promise.all([
  import('react'),
  import('ink'),
  import(new URL('../../dist/src/client/index.js', import.meta.url).href),
])
process.stdout.write('loaded')
