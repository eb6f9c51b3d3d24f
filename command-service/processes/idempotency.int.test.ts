import { derivedId, newId } from '@workledger/shared/contexts/stream.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, expectRefused, from, startWriteSide, typesOf, type WriteSide } from './testing.ts';

let side: WriteSide;
beforeAll(async () => {
  side = await startWriteSide();
});
afterAll(() => side.close());

const creation = { title: 'Make it fast', repository: 'sample' };

describe('a command sent twice', () => {
  it('takes effect once and answers the same, although the task has moved on', async () => {
    const commandId = newId();
    const taskId = derivedId('task', commandId);
    const first = await ask(side, 'task.create', taskId, creation, { commandId });
    await ask(side, 'task.change', taskId, { priority: 1 });
    const second = await ask(side, 'task.create', taskId, creation, { commandId });
    expect(second).toEqual(first);
    expect(await typesOf(side.log, first.stream)).toEqual(['TaskCreated', 'TaskDetailsChanged']);
  });

  it('takes effect once and answers the same after a restart', async () => {
    const taskId = newId();
    await ask(side, 'task.create', taskId, creation);
    const commandId = newId();
    const first = await ask(side, 'task.change', taskId, { priority: 1 }, { commandId });
    await ask(side, 'task.change', taskId, { priority: 2 });
    const second = await ask({ commands: await side.another() }, 'task.change', taskId, { priority: 1 }, { commandId });
    expect(second).toEqual(first);
    expect(await typesOf(side.log, first.stream)).toHaveLength(3);
  });

  it('with other words is refused, also by a process that does not know the first', async () => {
    const taskId = newId();
    await ask(side, 'task.create', taskId, creation);
    const late = { commands: await side.another() };
    await ask(late, 'task.change', taskId, { priority: 2 });
    const commandId = newId();
    await ask(side, 'task.change', taskId, { priority: 1 }, { commandId });
    await expectRefused(ask(late, 'task.change', taskId, { priority: 5 }, { commandId }), 'idempotency-key-reused');
    await expectRefused(ask(side, 'task.change', taskId, { priority: 5 }, { commandId }), 'idempotency-key-reused');
    expect(await typesOf(side.log, `task-${taskId}`)).toHaveLength(3);
    // The process that was wrong about it for a moment has not kept what it thought.
    await ask(late, 'task.change', taskId, { priority: 1 });
    expect(await typesOf(side.log, `task-${taskId}`)).toHaveLength(3);
  });

  it('at the same time to two processes takes effect once', async () => {
    const others = [side, { commands: await side.another() }];
    for (let round = 0; round < 5; round++) {
      const commandId = newId();
      const taskId = derivedId('task', commandId);
      const answers = await Promise.all(
        [...others, ...others].map((process) => ask(process, 'task.create', taskId, creation, { commandId })),
      );
      expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
      expect(await typesOf(side.log, `task-${taskId}`)).toEqual(['TaskCreated']);
    }
  });

  it('at the same time with other words: one is taken, the other refused', async () => {
    const other = { commands: await side.another() };
    for (let round = 0; round < 5; round++) {
      const commandId = newId();
      const taskId = derivedId('task', commandId);
      const outcomes = await Promise.allSettled([
        ask(side, 'task.create', taskId, creation, { commandId }),
        ask(other, 'task.create', taskId, { ...creation, title: 'Another' }, { commandId }),
      ]);
      const refused = outcomes.filter(({ status }) => status === 'rejected');
      expect(refused).toMatchObject([{ reason: { code: 'idempotency-key-reused' } }]);
      expect(await typesOf(side.log, `task-${taskId}`)).toEqual(['TaskCreated']);
    }
  });

  it('is looked up before If-Match', async () => {
    const taskId = newId();
    await ask(side, 'task.create', taskId, creation);
    const context = { commandId: newId(), expectedRevision: 0 };
    const first = await ask(side, 'task.change', taskId, { priority: 1 }, context);
    expect(await ask(side, 'task.change', taskId, { priority: 1 }, context)).toEqual(first);
  });

  it('is not remembered when it was refused: it may be accepted later', async () => {
    const taskId = newId();
    const commandId = newId();
    await expectRefused(ask(side, 'task.change', taskId, { priority: 1 }, { commandId }), 'not-found');
    await ask(side, 'task.create', taskId, creation);
    await ask(side, 'task.change', taskId, { priority: 1 }, { commandId });
    expect(await typesOf(side.log, `task-${taskId}`)).toEqual(['TaskCreated', 'TaskDetailsChanged']);
  });
});

describe('If-Match', () => {
  it('refuses a stale revision, tells the current one, and appends nothing', async () => {
    const taskId = newId();
    await ask(side, 'task.create', taskId, creation);
    await ask(side, 'task.change', taskId, { priority: 1 });
    await expectRefused(
      ask(side, 'task.change', taskId, { priority: 5 }, { expectedRevision: 0 }),
      'revision-mismatch',
      { current: 1 },
    );
    expect(await typesOf(side.log, `task-${taskId}`)).toHaveLength(2);
  });

  it('lets exactly one of many writers through, in two processes', async () => {
    const taskId = newId();
    await ask(side, 'task.create', taskId, creation);
    const both = [side, { commands: await side.another() }];
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) =>
        ask(both[index % 2] ?? side, 'task.change', taskId, { title: `Title ${index}` }, { expectedRevision: 0 }),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await typesOf(side.log, `task-${taskId}`)).toHaveLength(2);
  });
});

describe('without If-Match', () => {
  it('every one of many writers gets through, in two processes', async () => {
    const taskId = newId();
    await ask(side, 'task.create', taskId, creation);
    const both = [side, { commands: await side.another() }];
    await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        ask(both[index % 2] ?? side, 'task.change', taskId, { title: `Title ${index}` }),
      ),
    );
    expect(await typesOf(side.log, `task-${taskId}`)).toHaveLength(11);
  });

  it('a process whose memory is stale neither refuses nor ignores what has become possible', async () => {
    const taskId = newId();
    await ask(side, 'task.create', taskId, creation);
    const other = { commands: await side.another() };
    await ask(other, 'task.change', taskId, { priority: 2 });
    await ask(side, 'task.cancel', taskId);
    await ask(other, 'task.retry', taskId);
    await ask(side, 'task.change', taskId, { priority: 1 });
    await ask(other, 'task.change', taskId, { priority: 2 });
    expect(await typesOf(side.log, `task-${taskId}`)).toEqual([
      'TaskCreated',
      'TaskDetailsChanged',
      'TaskCancelled',
      'TaskRetried',
      'TaskDetailsChanged',
      'TaskDetailsChanged',
    ]);
  });
});

describe('bad input is refused and appends nothing', () => {
  const taskId = newId();
  it.each([
    ['an unknown command', { type: 'task.explode', target: taskId, data: {} }, 'type'],
    ['a target that is no UUID', { type: 'task.create', target: 'x', data: creation }, 'target'],
    ['an unknown field', { type: 'task.create', target: taskId, data: { ...creation, extra: 1 } }, 'extra'],
    ['a wrong type', { type: 'task.create', target: taskId, data: { ...creation, priority: 'high' } }, 'priority'],
    ['an over-long text', { type: 'task.create', target: taskId, data: { title: 'x'.repeat(301) } }, 'title'],
    ['U+0000', { type: 'task.create', target: taskId, data: { title: 'a\u0000b' } }, 'title'],
    ['data that are no object', { type: 'task.create', target: taskId, data: null }, ''],
  ])('%s', async (_, command, path) => {
    const before = await side.log.head();
    await expectRefused(side.commands.send(command, from('system')), 'invalid-command', { errors: [{ path }] });
    expect(await side.log.head()).toBe(before);
  });
});

it('the metadata of an event tell who caused it, by which command, in which conversation', async () => {
  const taskId = newId();
  const commandId = newId();
  const context = { commandId, correlationId: newId(), causationId: newId(), actor: 'key:x', traceparent: '00-a-b-01' };
  const { commandHash } = await side.commands
    .send({ type: 'task.create', target: taskId, data: creation }, context)
    .then(async () => {
      for await (const event of side.log.readStream(`task-${taskId}`)) {
        expect(event.metadata).toMatchObject(context);
        expect(event.id).toBe(derivedId('event', commandId, `task-${taskId}`, '0'));
        return event.metadata;
      }
      throw new Error('no event');
    });
  expect(commandHash).toMatch(/^[0-9a-f]{64}$/);
});
