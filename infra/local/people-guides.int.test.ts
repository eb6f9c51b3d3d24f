import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { runGuide } from '../testing/system/guide.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';

type Step = { readonly step: string; readonly state: string };

let folder: SystemFolder;
let system: RunningSystem;
beforeAll(async () => {
  folder = await systemFolder();
  system = await startInFolder(folder.path, {});
}, 60_000);
afterAll(() => folder.remove());

test('the guide to questions does what it says, by its own lines', async () => {
  const environment = { WORKLEDGER: system.url, KEY: system.key };
  expect(await runGuide('questions.md', { cwd: folder.path, environment })).toMatchObject({ code: 0 });
  const { body } = await system.client.expect2xx('GET', '/questions?state=answered');
  expect(body['items']).toMatchObject([{ choice: 'yaml', via: 'api', answeredBy: expect.stringMatching(/^key:/) }]);
}, 60_000);

test('the guide to messages does what it says, by its own lines', async () => {
  const { id: agent } = await system.client.expect2xx('POST', '/agents', { body: { name: 'ann' } });
  const made = await system.client.expect2xx('POST', '/keys', { body: { name: 'ann', role: 'agent', agentId: agent } });
  const environment = { url: system.url, key: system.key, agent, agent_key: String(made.body['key']) };
  const { code, output } = await runGuide('messages.md', { cwd: folder.path, environment });
  expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('Please look') });
  expect(output).toContain('event: hello');
}, 60_000);

test('the guide to users does what it says, by its own lines', async () => {
  const { code, output } = await runGuide('users.md', {
    cwd: folder.path,
    environment: { WORKLEDGER: system.url, KEY: system.key },
  });
  const { body } = await system.client.expect2xx('GET', '/users');
  const [ada] = body['items'] as { id: string }[];
  expect({ code, output }).toEqual({
    code: 0,
    output: expect.stringContaining(`operator\nuser:${ada!.id}\n`),
  });
  expect(output.trimEnd()).toMatch(/problems\/user-suspended$/);
  expect(output).toContain('{"items":[{"name":"web","users":1,"active":1}]}');
  expect(ada).toMatchObject({ state: 'suspended', role: 'auditor', teams: ['web'], suspendedReason: 'left us' });

  const run = await system.client.expect2xx('GET', `/pipelines/${ada!.id}`);
  expect((run.body['steps'] as Step[]).map(({ step, state }) => `${step} ${state}`)).toEqual([
    'create succeeded',
    'permissions succeeded',
    'welcome succeeded',
  ]);
  const saga = JSON.stringify(await system.client.stream(`saga-onboarding-${ada!.id}`));
  expect(saga, 'words of a person stay in their own stream').not.toMatch(/Ada|example\.org/);
  expect(await system.stop()).toBe(0);
}, 60_000);
