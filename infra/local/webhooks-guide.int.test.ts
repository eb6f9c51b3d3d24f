import { createServer } from 'node:net';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { until, untilTrue } from '../testing/processes/until.ts';
import { runGuide } from '../testing/system/guide.ts';
import { startInFolder } from '../testing/system/in-folder.ts';
import { startFakeSubscriber, status } from '../testing/webhooks/fake-subscriber.ts';

let folder: SystemFolder;
beforeAll(async () => {
  folder = await systemFolder();
});
afterAll(() => folder.remove());

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('the guide to outgoing webhooks, by its own lines; and a system that is killed all the time loses nothing', async () => {
  const receiver = `127.0.0.1:${await freePort()}`;
  const subscriber = await startFakeSubscriber();
  const hosts = [receiver, subscriber.host];
  const configuration = {
    outgoingWebhooks: {
      allowHosts: hosts,
      timeoutSeconds: 2,
      retrySeconds: [0.2, 0.5, 1, 2, ...Array<number>(15).fill(4)],
    },
    outbound: { privateHosts: hosts },
    repositories: [{ name: 'shop', url: join(folder.path, 'shop'), test: ['true'] }],
  };
  let system = await startInFolder(folder.path, configuration);
  const environment = { WORKLEDGER: system.url, KEY: system.key, RECEIVER: receiver };
  const { code, output } = await runGuide('outgoing-webhooks.md', { cwd: folder.path, environment });
  expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('"status":"active"') });
  const received = await readFile(join(folder.path, 'received.txt'), 'utf8');
  expect(received.trim().split('\n').map((line) => line.split(' ')[1]!.split('.')[2]).toSorted()).toEqual(['TaskCreated', 'TaskCreated', 'WebhookTestAsked']); // prettier-ignore
  expect(system.program.written.output).not.toMatch(/whsec_/);

  const wishes = { name: 'shop', url: `${subscriber.url}/in`, eventTypes: ['workledger.task.TaskCreated'], repositories: ['shop'] }; // prettier-ignore
  const { body: created } = await system.client.send('POST', '/webhooks', { body: wishes });
  const id = String(created['id']);
  const ids: string[] = [];
  for (let round = 0; round < 3; round++) {
    for (let count = 0; count < 8; count++) {
      const { body } = await system.client.send('POST', '/tasks', {
        body: { title: `${round} ${count}`, repository: 'shop' },
      });
      ids.push(String(body['id']));
      await system.client.send('POST', '/tasks', { body: { title: 'elsewhere' } });
    }
    // Some have arrived, some are under way, one is not answered.
    subscriber.answer('/in', round === 1 ? () => undefined : round === 2 ? status(503) : null);
    system.program.signal('SIGKILL');
    await system.program.ended;
    system = await startInFolder(folder.path, configuration);
  }
  subscriber.answer('/in', null);
  const arrived = (): Set<string> => new Set(subscriber.to('/in').map(({ subject }) => subject.slice('task-'.length)));
  await untilTrue(() => ids.every((each) => arrived().has(each)), 90);
  expect(arrived()).toEqual(new Set(ids));
  const idsOf = new Map<string, Set<string>>();
  for (const { subject, id: webhookId } of subscriber.to('/in'))
    idsOf.set(subject, (idsOf.get(subject) ?? new Set()).add(webhookId));
  expect([...idsOf.values()].map(({ size }) => size)).toEqual(ids.map(() => 1));
  const sending = await until('all to be delivered', async () => {
    const { body } = await system.client.send('GET', `/webhooks/${id}`);
    const { waiting, dead } = body['sending'] as { waiting: number; dead: number };
    return waiting === 0 && { waiting, dead };
  });
  expect(sending.dead).toBe(0);
  expect(await system.stop()).toBe(0);
  await subscriber.close();
}, 180_000);
