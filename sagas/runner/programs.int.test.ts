import { expect, onTestFinished, test } from 'vitest';
import { agentSchema } from '@workledger/shared/config/schema.ts';
import type { Route } from '@workledger/shared/http/route.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { serve } from '@workledger/infra/testing/servers/application.ts';
import { untilTrue } from '@workledger/infra/testing/processes/until.ts';
import { authenticateBySecret } from '@workledger/shared/security/shared-secret.ts';
import { askPrograms, watchPrograms } from './programs.ts';
import { freePort, SECRET } from './testing.ts';

const agents = [
  agentSchema.parse({ name: 'one', command: ['true'] }),
  agentSchema.parse({ name: 'two', command: ['/none/agent'] }),
];
const configuration = { agents, repositories: [] };

async function runner(routes: readonly Route[]): Promise<string> {
  const { logger } = captureLog();
  const client = await serve({ routes, authenticate: authenticateBySecret(SECRET, 'sagas', 'service'), logger });
  onTestFinished(() => client.stop());
  return client.url;
}

function watched() {
  const programs = watchPrograms(configuration, { dataFolder: '/none' }, { ...captureLog(), everyMilliseconds: 20 });
  onTestFinished(async () => void (await programs.stop()));
  return programs;
}
const one = { name: 'agent one', kind: 'program', state: 'healthy', reason: null };
const two = { ...one, name: 'agent two', state: 'unavailable', reason: '"agent" is not there, or may not be run' };

test('a runner tells how its programs are, in its own health and to who calls it', async () => {
  const programs = watched();
  const url = await runner(programs.routes);
  await untilTrue(async () => (await askPrograms({ urls: [url], key: SECRET }, configuration))[0]!.seen.length === 2);
  expect(programs.facts()).toMatchObject({ components: { 'agent one': { up: true }, 'agent two': { up: false } } });
  const [told] = await askPrograms({ urls: [url], key: SECRET }, configuration);
  expect(told).toEqual({ process: expect.stringMatching(/^runner \S+:\d+$/) as string, seen: [one, two] });
  // Of what is not configured nothing is believed.
  const [less] = await askPrograms({ urls: [url], key: SECRET }, { agents: agents.slice(0, 1), repositories: [] });
  expect(less?.seen).toEqual([one]);
});

test('a runner that is away, has another secret or does not know the question tells nothing', async () => {
  const urls = [await runner([]), await runner(watched().routes), `http://127.0.0.1:${await freePort()}`];
  expect(await askPrograms({ urls, key: '00'.repeat(32) }, configuration)).toEqual([]);
  expect(await askPrograms({ urls, key: SECRET }, configuration)).toHaveLength(1);
});
