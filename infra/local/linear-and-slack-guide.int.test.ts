import { readFile } from 'node:fs/promises';
import { taskIdOfIssue } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { until } from '../testing/processes/until.ts';
import { runGuide } from '../testing/system/guide.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';

const secrets = { LINEAR_WEBHOOK_SECRET: 'a secret of Linear', SLACK_SIGNING_SECRET: 'a secret of Slack' };

let folder: SystemFolder;
let system: RunningSystem;
beforeAll(async () => {
  folder = await systemFolder();
  const guide = await readFile(new URL('../docs/guides/linear-and-slack.md', import.meta.url), 'utf8');
  const configuration = JSON.parse(/```json\n(.*?)```/s.exec(guide)?.[1] ?? '') as Record<string, unknown>;
  system = await startInFolder(folder.path, configuration, secrets);
}, 60_000);
afterAll(() => folder.remove());

test('the guide to Linear and Slack does what it says, by its own configuration and lines', async () => {
  const environment = { WORKLEDGER: system.url, KEY: system.key, ...secrets };
  const { code, output } = await runGuide('linear-and-slack.md', { cwd: folder.path, environment });
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
  expect(await system.stop()).toBe(0);
}, 60_000);
