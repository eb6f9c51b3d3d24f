import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId } from '@workledger/shared/contexts/stream.ts';
import type { CommandHandlers } from './handlers.ts';
import { ask, complete, create, eventsOf, register, startWriteSide, type WriteSide } from './testing.ts';

const CHANNEL = 'C0123ABCD';
const ISSUE = 'https://github.com/acme/shop/issues/12';

let side: WriteSide;
let commands: CommandHandlers;
beforeAll(async () => {
  side = await startWriteSide();
  commands = await side.another({
    repositories: [{ name: 'sample', slack: CHANNEL, tell: ['slack', 'linear'] }, { name: 'other' }],
  });
});
afterAll(() => side.close());

const said = async (taskId: string, name: 'alsoTold' | 'isAlsoTold'): Promise<readonly unknown[]> =>
  (await eventsOf(side.log, `task-${taskId}`)).map(({ type, data }) => [type, (data as Record<string, unknown>)[name]]);
const alsoTold = async (taskId: string): Promise<unknown> => (await said(taskId, 'alsoTold'))[0];

it('a task says where else it is told of, as its repository has it, and each of its later events that it is', async () => {
  const source = { kind: 'github', reference: 'acme/shop#12', url: ISSUE };
  const taskId = await create({ commands }, { source });
  const places = [
    { kind: 'slack', place: CHANNEL },
    { kind: 'linear', place: ISSUE },
  ];
  expect(await alsoTold(taskId)).toEqual(['TaskCreated', places]);
  await complete({ commands }, taskId, await register(side));
  expect((await said(taskId, 'isAlsoTold')).slice(1)).toEqual([
    ['TaskClaimed', true],
    ['TaskWorkSubmitted', undefined],
    ['TaskCompleted', true],
  ]);
});

it('not where it was asked for there, nor where nothing is said of it', async () => {
  const source = { kind: 'slack', reference: `${CHANNEL}/1.2`, url: null };
  expect(await alsoTold(await create({ commands }, { source }))).toEqual([
    'TaskCreated',
    [{ kind: 'linear', place: null }],
  ]);
  expect(await alsoTold(await create({ commands }, { repository: 'other' }))).toEqual(['TaskCreated', undefined]);
  expect(await alsoTold(await create({ commands }, { repository: null }))).toEqual(['TaskCreated', undefined]);
});

it('whatever it was made of: a larger one, or an issue', async () => {
  const whole = await create({ commands });
  const { details } = await ask({ commands }, 'task.expand', whole, { subtasks: [{ title: 'a part' }] });
  const issueId = newId();
  await ask(side, 'issue.create', issueId, { title: 'slow', repository: 'sample' });
  const { details: made } = await ask(side, 'issue.turn-into-task', issueId);
  const taskId = String(made['taskId']);
  await ask({ commands }, 'task.create-from-issue', taskId, { issueId });
  for (const id of [...(details['subtasks'] as readonly string[]), taskId])
    expect(await alsoTold(id)).toEqual(['TaskCreated', expect.arrayContaining([{ kind: 'slack', place: CHANNEL }])]);
});

it('the same command finds the same task, whatever the configuration says by then', async () => {
  const [taskId, context] = [newId(), { commandId: newId() }];
  const data = { title: 'Make it fast', repository: 'sample' };
  const answers = [
    await ask({ commands }, 'task.create', taskId, data, context),
    await ask(side, 'task.create', taskId, data, context),
  ];
  expect(answers[1]?.revision).toBe(answers[0]?.revision);
});
