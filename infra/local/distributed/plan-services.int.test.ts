import { configurationSchema } from '@workledger/shared/config/schema.ts';
import { afterEach, expect, test, vi } from 'vitest';
import { planServices, type PlanOptions } from './plan-services.ts';

afterEach(() => vi.unstubAllEnvs());

const configuration = configurationSchema.parse({
  webhooks: { github: { secrets: [{ env: 'WEBHOOK_SECRET' }] } },
  agents: [{ name: 'claude', command: ['claude'], environment: ['MODEL_KEY'] }],
});
const options: PlanOptions = {
  folder: '/data/distributed',
  configurationFile: '/data/workledger.json',
  configuration,
  adminKeyFile: '/data/admin-key',
  serviceKeyFile: '/data/service-key',
  macKeyFile: '/data/mac-key',
  databaseUrls: null,
  runnerKeyFile: '/data/runner-key',
  servers: { DATABASE_URL: 'postgres://db', KAFKA_BROKERS: 'kafka:9092' },
  scale: { 'command-service': 2, sagas: 2, runner: 2 },
  ports: 'known',
  programOf: (entry) => `/built/${entry}`,
};

test('each instance has a name and a port of its own', async () => {
  const plans = await planServices(options);
  expect(plans.map(({ name }) => name)).toEqual([
    'command-service-1',
    'command-service-2',
    'query-service',
    'relay',
    'projections',
    'sagas-1',
    'sagas-2',
    'runner-1',
    'runner-2',
  ]);
  expect(new Set(plans.map(({ url }) => url)).size).toBe(plans.length);
});

test('sagas and command-services know one another, sagas every runner, and each runner works in a folder of its own', async () => {
  const plans = await planServices(options);
  const of = (wanted: string) => plans.filter(({ entry }) => entry === wanted);
  const urlsOf = (wanted: string): string =>
    of(wanted)
      .map(({ url }) => url)
      .join(',');
  for (const { environment } of of('sagas/main.ts'))
    expect([environment['COMMAND_SERVICE_URL'], environment['RUNNER_URL']]).toEqual([
      urlsOf('command-service/main.ts'),
      urlsOf('sagas/runner/main.ts'),
    ]);
  for (const { environment } of of('command-service/main.ts'))
    expect(environment['SAGAS_URL']).toBe(urlsOf('sagas/main.ts'));
  expect(of('sagas/runner/main.ts').map(({ environment }) => environment['DATA_FOLDER'])).toEqual([
    '/data/distributed/runner-1',
    '/data/distributed/runner-2',
  ]);
});

test('a secret goes only to the service that needs it', async () => {
  vi.stubEnv('WEBHOOK_SECRET', 'one');
  vi.stubEnv('MODEL_KEY', 'two');
  vi.stubEnv('UNRELATED', 'three');
  const plans = await planServices(options);
  const holders = (name: string): Set<string> =>
    new Set(plans.flatMap(({ entry, environment }) => (name in environment ? [entry] : [])));
  expect(holders('WEBHOOK_SECRET')).toEqual(new Set(['command-service/main.ts']));
  expect(holders('ADMIN_KEY_FILE')).toEqual(new Set(['command-service/main.ts']));
  expect(holders('MODEL_KEY')).toEqual(new Set(['sagas/runner/main.ts']));
  expect(holders('RUNNER_KEY_FILE')).toEqual(new Set(['sagas/main.ts', 'sagas/runner/main.ts']));
  expect(holders('SERVICE_KEY_FILE')).toEqual(new Set(['command-service/main.ts', 'sagas/main.ts']));
  expect(holders('KEY_MAC_FILE')).toEqual(new Set(['command-service/main.ts', 'query-service/main.ts']));
  expect(holders('UNRELATED')).toEqual(new Set());
});

test('a runner is told of no server, and of no key but the one that it shares with sagas', async () => {
  vi.stubEnv('MODEL_KEY', 'two');
  const runner = (await planServices(options)).find(({ entry }) => entry === 'sagas/runner/main.ts');
  const known = ['PATH', 'HOME', 'LANG', 'LOG_LEVEL', 'PORT', 'WORKLEDGER_CONFIG', 'DATA_FOLDER', 'RUNNER_KEY_FILE'];
  expect(Object.keys(runner?.environment ?? {}).filter((name) => !known.includes(name))).toEqual(['MODEL_KEY']);
});
