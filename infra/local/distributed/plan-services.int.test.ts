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
  servers: { DATABASE_URL: 'postgres://db', KAFKA_BROKERS: 'kafka:9092' },
  scale: { 'command-service': 2, sagas: 2 },
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
  ]);
  expect(new Set(plans.map(({ url }) => url)).size).toBe(plans.length);
});

test('sagas know every command-service, and each works in a folder of its own', async () => {
  const plans = await planServices(options);
  const urls = plans.filter(({ entry }) => entry === 'command-service/main.ts').map(({ url }) => url);
  const sagas = plans.filter(({ entry }) => entry === 'sagas/main.ts').map(({ environment }) => environment);
  expect(sagas.map((environment) => environment['COMMAND_SERVICE_URL'])).toEqual([urls.join(','), urls.join(',')]);
  expect(sagas.map((environment) => environment['DATA_FOLDER'])).toEqual([
    '/data/distributed/sagas-1',
    '/data/distributed/sagas-2',
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
  expect(holders('MODEL_KEY')).toEqual(new Set(['sagas/main.ts']));
  expect(holders('SERVICE_KEY_FILE')).toEqual(new Set(['command-service/main.ts', 'sagas/main.ts']));
  expect(holders('KEY_MAC_FILE')).toEqual(new Set(['command-service/main.ts', 'query-service/main.ts']));
  expect(holders('UNRELATED')).toEqual(new Set());
});
