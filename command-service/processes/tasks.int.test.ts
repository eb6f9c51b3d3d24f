import { deliveryStreamId, taskIdOfIssue } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { dependenciesStream } from '@workledger/shared/contexts/task/dependencies/events.ts';
import { derivedId, newId } from '@workledger/shared/contexts/stream.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  complete,
  create,
  register,
  ask,
  eventsOf,
  expectRefused,
  startWriteSide,
  typesOf,
  type WriteSide,
} from './testing.ts';

let side: WriteSide;
beforeAll(async () => {
  side = await startWriteSide();
});
afterAll(() => side.close());

const edgesOf = async (repository: string | null) => eventsOf(side.log, dependenciesStream(repository));

describe('creating a task', () => {
  it('refuses a repository that is not registered', async () => {
    const taskId = newId();
    await expectRefused(
      ask(side, 'task.create', taskId, { title: 'x', repository: 'elsewhere' }),
      'unknown-repository',
    );
    expect(await typesOf(side.log, `task-${taskId}`)).toEqual([]);
  });

  it.each([
    ['parent', { parentId: newId() }],
    ['dependency', { dependencies: [newId()] }],
  ])('refuses a %s that does not exist, and leaves no edge', async (_, data) => {
    const before = await side.log.head();
    await expectRefused(ask(side, 'task.create', newId(), { title: 'x', ...data }), 'unknown-reference');
    expect(await side.log.head()).toBe(before);
  });

  it('refuses a dependency on a task of another repository', async () => {
    const other = await create(side, { repository: 'other' });
    await expectRefused(
      ask(side, 'task.create', newId(), { title: 'x', repository: 'sample', dependencies: [other] }),
      'unknown-reference',
      { repository: 'other' },
    );
  });

  it('adds its edges first, and its token names both streams', async () => {
    const first = await create(side);
    const second = newId();
    const answer = await ask(side, 'task.create', second, {
      title: 'x',
      repository: 'sample',
      dependencies: [first, first],
    });
    const edge = (await edgesOf('sample')).at(-1);
    expect(edge).toMatchObject({ type: 'DependencyAdded', data: { taskId: second, dependsOn: first } });
    expect(answer.token).toBe(`task-${second}@0,${dependenciesStream('sample')}@${edge?.revision}`);
    const [created] = await eventsOf(side.log, `task-${second}`);
    expect(created?.position).toBeGreaterThan(edge?.position ?? 0n);
  });

  it('with dependencies, twice under one key, answers the same after a restart that forgot the repository', async () => {
    const first = await create(side);
    const commandId = newId();
    const taskId = derivedId('task', commandId);
    const data = { title: 'x', repository: 'sample', dependencies: [first] };
    const answer = await ask(side, 'task.create', taskId, data, { commandId });
    const before = await side.log.head();
    expect(
      await ask({ commands: await side.another({ repositories: [] }) }, 'task.create', taskId, data, { commandId }),
    ).toEqual(answer);
    expect(await side.log.head()).toBe(before);
  });

  it('that exists is refused without touching its edges', async () => {
    const [first, second] = [await create(side), await create(side)];
    const before = await side.log.head();
    await expectRefused(
      ask(side, 'task.create', second, { title: 'x', repository: 'sample', dependencies: [first] }),
      'already-exists',
    );
    expect(await side.log.head()).toBe(before);
  });
});

describe('a task from a webhook delivery', () => {
  it('says what the delivery says, and exists once however many deliveries ask for it', async () => {
    const taskId = taskIdOfIssue('github', 'o/r', 12);
    const deliver = async (deliveryId: string, title: string) => {
      const id = deliveryStreamId('github', deliveryId);
      const received = {
        provider: 'github',
        deliveryId,
        event: 'issues',
        action: 'labeled',
        repository: 'o/r',
        sender: 'ann',
        body: { digest: 'ab'.repeat(32), size: 2, mediaType: 'application/json' },
      };
      const intent = {
        kind: 'create-task',
        title,
        description: 'as fast as can be',
        repository: 'sample',
        labels: ['workledger'],
        priority: 2,
        capabilities: ['code'],
        source: { kind: 'github', reference: 'o/r#12', url: null },
        requester: 'ann',
      };
      await ask(side, 'delivery.receive', id, { received, outcome: { rule: 'label', taskId, intent } });
      return id;
    };
    await ask(side, 'task.create-from-delivery', taskId, { deliveryId: await deliver('d-1', 'Make it fast') });
    await expectRefused(
      ask(side, 'task.create-from-delivery', taskId, { deliveryId: await deliver('d-2', 'Make it faster') }),
      'already-exists',
    );
    expect(await eventsOf(side.log, `task-${taskId}`)).toMatchObject([
      { data: { title: 'Make it fast', source: { kind: 'github', reference: 'o/r#12' }, requester: 'ann' } },
    ]);
    await expectRefused(
      ask(side, 'task.create-from-delivery', newId(), { deliveryId: deliveryStreamId('github', 'd-1') }),
      'unknown-reference',
    );
  });
});

describe('dependencies', () => {
  it('that would close a cycle are refused, naming it', async () => {
    const [a, b, c] = [await create(side), await create(side), await create(side)];
    await ask(side, 'task.add-dependency', a, { dependsOn: b });
    await ask(side, 'task.add-dependency', b, { dependsOn: c });
    await expectRefused(ask(side, 'task.add-dependency', c, { dependsOn: a }), 'dependency-cycle', {
      cycle: [c, a, b, c],
    });
    await expectRefused(ask(side, 'task.add-dependency', a, { dependsOn: a }), 'dependency-cycle', { cycle: [a, a] });
    await ask(side, 'task.remove-dependency', b, { dependsOn: c });
    await ask(side, 'task.add-dependency', c, { dependsOn: a });
  });

  it('two at once, in two processes, that together would close a cycle: exactly one is refused', async () => {
    const other = { commands: await side.another() };
    for (let round = 0; round < 5; round++) {
      const [a, b] = [await create(side), await create(side)];
      const outcomes = await Promise.allSettled([
        ask(side, 'task.add-dependency', a, { dependsOn: b }),
        ask(other, 'task.add-dependency', b, { dependsOn: a }),
      ]);
      expect(outcomes.filter(({ status }) => status === 'rejected')).toMatchObject([
        { reason: { code: 'dependency-cycle' } },
      ]);
    }
  });

  it('of a part on its whole, at any depth, are refused', async () => {
    const whole = await create(side);
    const part = await create(side, { parentId: whole });
    const piece = await create(side, { parentId: part });
    await expectRefused(ask(side, 'task.add-dependency', piece, { dependsOn: whole }), 'dependency-cycle', {
      cycle: [piece, whole, part, piece],
    });
  });

  it('of a part on what waits for its whole are refused, and of a task on a whole whose part waits for it', async () => {
    const [whole, other] = [await create(side), await create(side)];
    await ask(side, 'task.add-dependency', other, { dependsOn: whole });
    const before = await side.log.head();
    const waiting = [{ title: 'part', dependencies: [other] }];
    await expectRefused(ask(side, 'task.expand', whole, { subtasks: waiting }), 'dependency-cycle');
    expect(await side.log.head()).toBe(before);

    await ask(side, 'task.remove-dependency', other, { dependsOn: whole });
    const { details } = await ask(side, 'task.expand', whole, { subtasks: waiting });
    const [part] = details['subtasks'] as [string];
    await expectRefused(ask(side, 'task.add-dependency', other, { dependsOn: whole }), 'dependency-cycle', {
      cycle: [other, whole, part, other],
    });
  });

  it('follow the rules of their task', async () => {
    const [a, b, done] = [await create(side), await create(side), await create(side)];
    await complete(side, done, await register(side));
    await expectRefused(ask(side, 'task.add-dependency', newId(), { dependsOn: a }), 'not-found');
    await expectRefused(ask(side, 'task.add-dependency', done, { dependsOn: a }), 'illegal-transition');
    await expectRefused(ask(side, 'task.add-dependency', a, { dependsOn: newId() }), 'unknown-reference');
    await expectRefused(
      ask(side, 'task.add-dependency', a, { dependsOn: b }, { expectedRevision: 7 }),
      'revision-mismatch',
      { current: 0 },
    );
  });

  it('added twice under one key answer the same', async () => {
    const [a, b] = [await create(side), await create(side)];
    const commandId = newId();
    const answer = await ask(side, 'task.add-dependency', a, { dependsOn: b }, { commandId });
    await ask(side, 'task.remove-dependency', a, { dependsOn: b });
    expect(await ask(side, 'task.add-dependency', a, { dependsOn: b }, { commandId })).toEqual(answer);
    expect(answer.id).toBe(a);
  });
});
