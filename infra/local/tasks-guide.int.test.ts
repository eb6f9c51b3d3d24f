import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { createShellRepository, shellRegistration } from '../testing/repository/shell-repository.ts';
import { runGuide } from '../testing/system/guide.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';

type Listed = {
  readonly id: string;
  readonly title: string;
  readonly state: string;
  readonly priority: number;
  readonly reason: string | null;
  readonly parentId: string | null;
  readonly waitingFor: readonly { readonly kind: string }[];
};

let folder: SystemFolder;
let system: RunningSystem;
beforeAll(async () => {
  folder = await systemFolder();
  createShellRepository(join(folder.path, 'greeter'));
  system = await startInFolder(folder.path, {
    repositories: [{ ...shellRegistration, url: join(folder.path, 'greeter') }],
  });
}, 60_000);
afterAll(() => folder.remove());

test('the guide to tasks does what it says, by its own lines', async () => {
  const environment = { WORKLEDGER: system.url, KEY: system.key, REPOSITORY: 'greeter' };
  const { code, output } = await runGuide('tasks.md', { cwd: folder.path, environment });
  expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining("[ 'search' ]\n") });

  const tasks = new Map<string, Listed>();
  for await (const task of system.client.list<Listed>('/tasks')) tasks.set(task.title, task);
  const titles = ['Faster search', 'Use it', 'Two things', 'One', 'Other', 'First', 'Second'];
  expect([...tasks.keys()].toSorted()).toEqual(titles.toSorted());
  const reasons = (title: string) => tasks.get(title)?.waitingFor.map(({ kind }) => kind);
  expect(tasks.get('Faster search')).toMatchObject({ state: 'pending', priority: 1, reason: 'needed after all' });
  expect(reasons('Faster search')).toEqual(['capability']);
  expect(reasons('Use it')).toEqual(['dependency', 'capability']);
  expect(reasons('Two things')).toEqual(['subtasks']);
  expect(tasks.get('One')?.parentId).toBe(tasks.get('Two things')?.id);
  const { body } = await system.client.expect2xx('GET', '/keys');
  expect(body['items']).toContainEqual(
    expect.objectContaining({ name: 'board', role: 'viewer', repositories: ['greeter'] }),
  );
  expect(await system.stop()).toBe(0);
}, 60_000);
