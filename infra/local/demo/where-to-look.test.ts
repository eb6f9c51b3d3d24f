import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import type { TaskView } from './client.ts';
import { whereToLook } from './where-to-look.ts';

const task = { id: '0190a2c0-0000-7000-8000-000000000001' } as TaskView;

test('on the default data folder npm start needs no option', () => {
  const dataFolder = resolve('.workledger');
  const lines = whereToLook({ task, failing: false, origin: '/o.git', dataFolder, keyFile: '/k' }).split('\n');
  expect(lines[3]).toBe('  npm start');
  expect(lines[4]).toContain(`"Authorization: Bearer $(cat /k)" http://127.0.0.1:8080/api/v1/tasks/${task.id}`);
});

test('paths are words for a shell, whatever is in them', () => {
  const places = { task, failing: true, origin: "/it's here/o.git", dataFolder: '/a b', keyFile: '/a b/$key' };
  const lines = whereToLook(places).split('\n');
  expect(lines[2]).toBe(String.raw`  git -C '/it'\''s here/o.git' branch --all`);
  expect(lines[3]).toBe("  npm start -- --data '/a b'");
  expect(lines[4]).toContain("$(cat '/a b/$key')");
});
