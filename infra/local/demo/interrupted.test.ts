import { expect, test } from 'vitest';
import type { TaskView } from './client.ts';
import { demoConfiguration, githubName } from './configuration.ts';
import { interruptedTasks } from './interrupted.ts';

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
