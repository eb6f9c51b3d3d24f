// Exit code 0: the service in this container is live, or ready. `node health-check.program.ts live|ready SERVICE`
const ports: Readonly<Record<string, number>> = {
  'command-service': 8081,
  'query-service': 8082,
  relay: 8083,
  projections: 8084,
  sagas: 8085,
  runner: 8086,
};
const [what = 'live', service = 'command-service'] = process.argv.slice(2);
const port = process.env['PORT'] ?? ports[service];
// eslint-disable-next-line no-restricted-properties -- Fetch itself listens to it, and this program imports nothing: it starts every few seconds.
const { ok } = await fetch(`http://127.0.0.1:${port}/health/${what}`, { signal: AbortSignal.timeout(4_000) }).catch(
  () => ({ ok: false }),
);
process.exitCode = ok ? 0 : 1;
