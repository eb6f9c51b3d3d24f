import { expect, test } from 'vitest';
import type { TaskView } from './client.ts';
import { demoConfiguration, githubName, sampleOf } from './configuration.ts';
import { interruptedTasks, whereToLook, word } from './show.ts';

const configuration = demoConfiguration('/data', '/data/demo', [
  { run: 1, failing: false },
  { run: 2, failing: true },
]);
const [first, failing] = configuration.repositories.map(({ capabilities }) => capabilities);
const task = (sourceReference: string | null, capabilities: readonly string[] = []): TaskView =>
  ({ sourceReference, capabilities }) as TaskView;

test('only tasks of the demo itself are waited for, whoever else uses the data folder', () => {
  const own = [task(`${githubName(1)}#1`, first), task(`${githubName(2)}#2`, failing)];
  const others = [task(null, ['human']), task(null, first), task('acme/shop#1', first), task('workledger-demo-2/x#1')];
  expect(interruptedTasks([...others, ...own])).toEqual(own);
});

test('a task that no agent of the demo can do is not waited for', () => {
  expect(interruptedTasks([task(`${githubName(1)}#1`, ['human'])])).toEqual([]);
});

test("the demo's agents have capabilities of their own, so that tasks for other agents are not theirs", () => {
  const offered = configuration.agents.flatMap(({ capabilities }) => capabilities);
  expect(offered.filter((capability) => ['code', 'careless-code'].includes(capability))).toEqual([]);
});

const shown = { id: '0190a2c0-0000-7000-8000-000000000001' };
const url = 'http://127.0.0.1:8080';

test('tells how to start the system, and how to ask it', () => {
  const sample = sampleOf('/demo', 1, false);
  const lines = whereToLook(shown, { sample, url, keyFile: '/k', startCommand: 'npm start' }).split('\n');
  expect(lines[2]).toBe('  git -C /demo/sample-1.git log --patch main');
  expect(lines[3]).toBe('  npm start');
  expect(lines[4]).toContain(`"Authorization: Bearer $(cat /k)" http://127.0.0.1:8080/api/v1/tasks/${shown.id}`);
});

test('of a system that runs it tells no command to start it', () => {
  const sample = sampleOf('/demo', 1, false);
  expect(whereToLook(shown, { sample, url, keyFile: '/k', startCommand: null })).not.toContain('npm');
});

test('paths are words for a shell, whatever is in them', () => {
  const sample = sampleOf("/it's here", 2, true);
  const places = { sample, url, keyFile: '/a b/$key', startCommand: null };
  const lines = whereToLook(shown, places).split('\n');
  expect(lines[2]).toBe(String.raw`  git -C '/it'\''s here/sample-2.git' branch --all`);
  expect(lines[3]).toContain("$(cat '/a b/$key')");
  expect(word('/a b')).toBe("'/a b'");
});
