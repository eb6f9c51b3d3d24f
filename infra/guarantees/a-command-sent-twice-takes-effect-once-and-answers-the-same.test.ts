import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer, Call } from '@workledger/shared/client/client.ts';
import type { RunningSystem } from '../testing/system/engine.ts';
import { enginesOfEveryLog } from '../testing/system/engines.ts';
import {
  createGithubSide,
  deliver,
  labeledIssue,
  newIssueNumber,
  REPOSITORY,
  SENDER,
  type GithubSide,
} from '../testing/system/github.ts';
import { ofTheClock } from './harness/timers.ts';
import { until } from '../testing/processes/until.ts';
import { sagasOf } from '../testing/system/saga.ts';
import { untilQuiet } from '../testing/system/logs.ts';

/** All that an answer says but for the secret that is shown once, and the request's own correlation. */
const said = ({ status, body, headers }: Answer) => {
  const { key: _secret, note: _note, ...rest } = body;
  return {
    status,
    body: rest,
    etag: headers.get('ETag'),
    token: headers.get('Consistency-Token'),
    location: headers.get('Location'),
    window: headers.get('Idempotency-Window'),
  };
};
const problem = ({ status, body }: Answer) => [status, String(body['type']).split('/').at(-1)];

type Wish = { readonly method: string; readonly path: string; readonly body: object; readonly other: object | null };

describe.each(enginesOfEveryLog)('a command sent twice takes effect once and answers the same, $name', (engine) => {
  let github: GithubSide;
  let system: RunningSystem;
  beforeAll(async () => {
    github = await createGithubSide();
    const repository = { name: 'sample', url: 'nowhere', test: ['true'], github: REPOSITORY, trusted: [SENDER] };
    // Nobody beats for the agents of this test: nothing must run out meanwhile.
    const patience = { heartbeatSeconds: 3_600, leaseSeconds: 3_600 };
    system = await engine.start({ ...github.settings, ...patience, repositories: [repository] }, { storage: 'shared' });
  });
  afterAll(async () => {
    await system.dispose();
    await github.dispose();
  });

  const delivery = labeledIssue(newIssueNumber());
  let receipt: Record<string, unknown>;

  const ask = ({ method, path }: Wish, call: Call) => system.client.send(method, path, call);
  const create = async (path: string, body: object) => (await system.client.expect2xx('POST', path, { body })).id;
  const quietHead = async (): Promise<bigint> => {
    const log = await system.openLog();
    const head = await untilQuiet(log, engine.calmMilliseconds);
    await log.close();
    return head;
  };
  /** What was appended after this position, when all is quiet. */
  const appendedAfter = async (head: bigint): Promise<string[]> => {
    await quietHead();
    return (await system.client.log(head))
      .filter((event) => !ofTheClock(event))
      .map(({ stream, type }) => `${type} in ${stream}`);
  };

  /** Tasks for `claim-next` need a capability of their own, so that each agent finds one. */
  async function aClaim(): Promise<Wish> {
    const capability = `only-${Math.random()}`;
    const agent = await create('/agents', { name: 'one', capabilities: [capability], capacity: 9 });
    for (const title of ['a', 'b', 'c']) {
      const { token } = await system.client.expect2xx('POST', '/tasks', {
        body: { title, capabilities: [capability] },
      });
      await system.client.expect2xx('GET', '/tasks/next', { token });
    }
    return { method: 'POST', path: `/agents/${agent}/claims`, body: {}, other: null };
  }

  const wishes: readonly (readonly [string, () => Promise<Wish>])[] = [
    [
      'a creation',
      async () => ({ method: 'POST', path: '/tasks', body: { title: 'once' }, other: { title: 'twice' } }),
    ],
    [
      'a creation of several streams',
      async () => {
        const needed = await create('/tasks', { title: 'needed' });
        const body = { title: 'waits', dependencies: [needed] };
        return { method: 'POST', path: '/tasks', body, other: { ...body, dependencies: [] } };
      },
    ],
    [
      'a change',
      async () => {
        const id = await create('/tasks', { title: 'before' });
        return { method: 'PATCH', path: `/tasks/${id}`, body: { title: 'after' }, other: { title: 'else' } };
      },
    ],
    [
      'an expansion',
      async () => {
        const id = await create('/tasks', { title: 'large' });
        const body = { subtasks: [{ title: 'one' }, { title: 'two' }] };
        return { method: 'POST', path: `/tasks/${id}/expand`, body, other: { subtasks: [{ title: 'one' }] } };
      },
    ],
    ['a claim of the next task', aClaim],
    [
      'a registration',
      async () => ({ method: 'POST', path: '/agents', body: { name: 'one' }, other: { name: 'other' } }),
    ],
    [
      'the making of a key',
      async () => ({
        method: 'POST',
        path: '/keys',
        body: { name: 'one', role: 'viewer' },
        other: { name: 'one', role: 'admin' },
      }),
    ],
    [
      'a batch',
      async () => ({
        method: 'POST',
        path: '/commands',
        body: {
          commands: [
            { type: 'task.create', data: { title: 'one' } },
            { type: 'task.create', data: { title: 'two' } },
          ],
        },
        other: null,
      }),
    ],
  ];

  /** What was sent and answered, for the second half. */
  const sent = new Map<string, { readonly wish: Wish; readonly call: Call; readonly first: ReturnType<typeof said> }>();

  test.each(wishes)('%s: at the same time', async (name, prepare) => {
    const wish = await prepare();
    const call = { body: wish.body, idempotencyKey: `key of ${name}`.replaceAll(' ', '-') };
    const together = await Promise.all([1, 2, 3].map(() => ask(wish, call)));
    const first = said(together[0]!);
    sent.set(name, { wish, call, first });
    expect(first.status).toBeOneOf([200, 201]);
    expect(first.window, 'seconds that the key is remembered').toBe('604800');
    if (wish.path.endsWith('/claims')) expect(first.body).toHaveProperty('claimId');
    for (const answer of together) expect(said(answer)).toEqual(first);
    const secrets = together.filter(({ body }) => typeof body['key'] === 'string');
    expect(secrets.length, 'a secret is told once').toBe(wish.path === '/keys' ? 1 : 0);
  });

  test('each of them again', async () => {
    const head = await quietHead();
    for (const [name] of wishes) await expectTheSame(name);
    expect(await appendedAfter(head)).toEqual([]);
  });

  /** After a kill their consumers take a while to find together; what lay before them they do then, and not when it is looked for repeats. */
  async function untilSagasReact(): Promise<void> {
    const { method, path, body } = await aClaim();
    const claim = (await system.client.expect2xx(method, path, { body })).body;
    await until('sagas to react to a claim', async () => {
      const sagas = await sagasOf(system.client, 'saga');
      return JSON.stringify([...sagas.values()]).includes(String(claim['claimId']));
    });
  }

  /** The same again, and another request under the same key. */
  async function expectTheSame(name: string): Promise<void> {
    const { wish, call, first } = sent.get(name)!;
    expect(said(await ask(wish, call))).toEqual(first);
    if (wish.other !== null)
      expect(problem(await ask(wish, { ...call, body: wish.other }))).toEqual([422, 'idempotency-key-reused']);
  }

  test('a delivery: the first is recorded and makes its task, every other gets the same receipt', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => deliver(system.client, delivery)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 202]);
    // All but one say that they are copies, and when the first was judged.
    receipt = answers.find(({ body }) => body['redelivery'] === undefined)!.body;
    expect(receipt).toMatchObject({ outcome: 'routed' });
    for (const { body } of answers) expect(body).toMatchObject(receipt);
    const taskId = String(receipt['taskId']);
    await until('the task', async () => (await system.client.stream(`task-${taskId}`)).length > 0);
    await quietHead();
    expect((await system.client.stream(`task-${taskId}`)).map(({ type }) => type)).toEqual(['TaskCreated']);
    expect(await system.client.stream(`delivery-${String(receipt['id'])}`)).toHaveLength(2);
  });

  test('all of them after kill -9 and a restart', async () => {
    await system.kill9('service');
    await system.restart();
    await untilSagasReact();
    const head = await quietHead();
    for (const [name] of wishes) await expectTheSame(name);
    const again = await deliver(system.client, delivery);
    expect([again.status, again.body]).toMatchObject([200, { ...receipt, redelivery: true }]);
    expect(await appendedAfter(head)).toEqual([]);
  });
});
