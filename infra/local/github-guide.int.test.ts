import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startFakeGithub } from '../testing/github/fake-github.ts';
import { systemFolder } from '../testing/processes/folder.ts';
import { untilTrue } from '../testing/processes/until.ts';
import { runGuide } from '../testing/system/guide.ts';
import { startInFolder } from '../testing/system/in-folder.ts';

test('the guide to GitHub, by its own lines: what is configured is looked at, and health tells how it stands', async () => {
  const fake = await startFakeGithub();
  onTestFinished(() => fake.close());
  const folder = await systemFolder();
  onTestFinished(() => folder.remove());
  await writeFile(join(folder.path, 'token'), fake.token);
  const system = await startInFolder(folder.path, {
    ...{
      github: { url: fake.url, token: { file: 'token' } },
      outbound: { privateHosts: [fake.host] },
      logLevel: 'debug',
    },
  });
  const environment = { WORKLEDGER: system.url };
  const ask = async (): Promise<string> => (await runGuide('github.md', { cwd: folder.path, environment })).output;
  await untilTrue(async () => (await ask()).includes('up: true'));
  expect(fake.count('GET', /^\/rate_limit$/)).toBe(1);
  const output = await ask();
  expect(output).toMatch(/breaker: 'closed'/);
  expect(output + system.program.written.output).not.toContain(fake.token);
  expect(output).not.toContain(fake.host);
  expect(await system.stop()).toBe(0);
}, 60_000);
