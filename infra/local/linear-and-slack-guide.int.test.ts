import { readFile } from 'node:fs/promises';
import { taskIdOfIssue } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startFakeLinear } from '../testing/linear/fake-linear.ts';
import { startFakeSlack } from '../testing/slack/fake-slack.ts';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { until } from '../testing/processes/until.ts';
import { runGuide } from '../testing/system/guide.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';

const secrets = { LINEAR_WEBHOOK_SECRET: 'a secret of Linear', SLACK_SIGNING_SECRET: 'a secret of Slack' };

let slack: Awaited<ReturnType<typeof startFakeSlack>>;
let linear: Awaited<ReturnType<typeof startFakeLinear>>;
let environment: Record<string, string>;
let folder: SystemFolder;
let system: RunningSystem;
beforeAll(async () => {
  folder = await systemFolder();
  const guide = await readFile(new URL('../docs/guides/linear-and-slack.md', import.meta.url), 'utf8');
  const configuration = JSON.parse(/```json\n(.*?)```/s.exec(guide)?.[1] ?? '') as Record<string, unknown>;
  slack = await startFakeSlack();
  linear = await startFakeLinear();
  environment = { ...secrets, SLACK_BOT_TOKEN: slack.token, LINEAR_API_KEY: linear.token };
  const told = {
    ...configuration,
    slack: { ...(configuration['slack'] as object), url: slack.url },
    linear: { ...(configuration['linear'] as object), url: linear.url },
    outbound: { privateHosts: [slack.host, linear.host] },
  };
  system = await startInFolder(folder.path, told, environment);
}, 60_000);
afterAll(async () => {
  await folder.remove();
  await slack.close();
  await linear.close();
});

test('the guide to Linear and Slack does what it says, by its own configuration and lines', async () => {
  const variables = { ...environment, WORKLEDGER: system.url, KEY: system.key, SLACK_API: slack.url };
  const { code, output } = await runGuide('linear-and-slack.md', { cwd: folder.path, environment: variables });
  const issue = taskIdOfIssue('linear', 'ENG', '7d0b5f5e-0000-4000-8000-000000000007');
  const command = taskIdOfIssue('slack', 'C0123ABCD', 'first');
  expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining(`"taskId":"${issue}"`) });
  expect(output).toContain(`It has the task ${command}.`);
  for (const [id, kind, title] of [
    [issue, 'linear', 'Sum is slow'],
    [command, 'slack', 'make sum faster'],
  ] as const) {
    const task = await until(`the task from ${kind}`, async () => {
      const { status, body } = await system.client.send('GET', `/tasks/${id}`);
      return status === 200 && body;
    });
    expect(task).toMatchObject({ title, repository: 'shop', sourceKind: kind });
  }
  expect(output).toContain('"user_id":"UBOT"');
  expect(await system.stop()).toBe(0);
}, 60_000);
