import { expect, test } from 'vitest';
import { sampleOf } from './configuration.ts';
import { whereToLook, word } from './where-to-look.ts';

const task = { id: '0190a2c0-0000-7000-8000-000000000001' };
const url = 'http://127.0.0.1:8080';

test('tells how to start the system, and how to ask it', () => {
  const sample = sampleOf('/demo', 1, false);
  const lines = whereToLook(task, { sample, url, keyFile: '/k', startCommand: 'npm start' }).split('\n');
  expect(lines[2]).toBe('  git -C /demo/sample-1.git log --patch main');
  expect(lines[3]).toBe('  npm start');
  expect(lines[4]).toContain(`"Authorization: Bearer $(cat /k)" http://127.0.0.1:8080/api/v1/tasks/${task.id}`);
});

test('of a system that runs it tells no command to start it', () => {
  const sample = sampleOf('/demo', 1, false);
  expect(whereToLook(task, { sample, url, keyFile: '/k', startCommand: null })).not.toContain('npm');
});

test('paths are words for a shell, whatever is in them', () => {
  const sample = sampleOf("/it's here", 2, true);
  const places = { sample, url, keyFile: '/a b/$key', startCommand: null };
  const lines = whereToLook(task, places).split('\n');
  expect(lines[2]).toBe(String.raw`  git -C '/it'\''s here/sample-2.git' branch --all`);
  expect(lines[3]).toContain("$(cat '/a b/$key')");
  expect(word('/a b')).toBe("'/a b'");
});
