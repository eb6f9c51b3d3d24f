import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from '@workledger/shared/client/client.ts';
import type { RunningSystem } from '../testing/system/engine.ts';
import { engines } from '../testing/system/engines.ts';
import { storageOf } from '../testing/system/storm.ts';
import { until } from '../testing/processes/until.ts';

type Row = { readonly id: string; readonly revision: number; readonly title?: string };
const problem = ({ status, body }: Answer) => [status, String(body['type']).split('/').at(-1)];

describe.each(engines)(
  "a query that carries a command's token sees its effect, or says that it cannot yet, $name",
  (engine) => {
    let system: RunningSystem;
    let database: pg.Client;
    beforeAll(async () => {
      system = await engine.start({}, { storage: storageOf(engine.name) });
      await connect();
    });
    afterAll(async () => {
      await database.end();
      await system.dispose();
    });

    const connect = async (): Promise<void> => {
      database = new pg.Client({ connectionString: await system.databaseUrl() });
      database.on('error', () => undefined);
      await database.connect();
    };
    const create = (path: string, body: object) => system.client.expect2xx('POST', path, { body });
    const retitle = (id: string, title: string) =>
      system.client.expect2xx('PATCH', `/tasks/${id}`, { body: { title } });
    const get = (path: string, token: string) => system.client.send('GET', path, { token });

    /** Asks until it is told; whoever says "not yet" must say when to come again. */
    const patiently = (path: string, token: string): Promise<Answer> =>
      until(`an answer to ${path}`, async () => {
        const answer = await get(path, token);
        if (answer.status !== 503) return answer;
        expect(problem(answer)).toEqual([503, 'not-yet-visible']);
        expect(answer.headers.get('Retry-After')).toMatch(/^\d+$/);
        return null;
      });
    const one = async (path: string, token: string): Promise<Row> => {
      const answer = await patiently(path, token);
      expect(answer.status).toBe(200);
      return answer.body as Row;
    };
    const listed = async (path: string, token: string, id: string): Promise<Row | undefined> => {
      const { items } = (await one(path, token)) as unknown as { items: Row[] };
      return items.find((item) => item.id === id);
    };

    test('many writers, each followed by readers of the task and of the list', async () => {
      const writer = async (name: number): Promise<void> => {
        const { id, token: made } = await create('/tasks', { title: 'new' });
        expect(await one(`/tasks/${id}`, made)).toMatchObject({ id });
        for (let round = 1; round <= 15; round++) {
          const title = `${name}: ${round}`;
          const { token, revision } = await retitle(id, title);
          const seen = await Promise.all([
            one(`/tasks/${id}`, token),
            one(`/tasks/${id}?token=${encodeURIComponent(token)}`, made),
            listed('/tasks?limit=100', token, id),
          ]);
          for (const row of seen) expect(row).toMatchObject({ id, revision, title });
        }
      };
      await Promise.all(Array.from({ length: 8 }, (_, name) => writer(name)));
    });

    test('every read model, also where a command changed several streams', async () => {
      const agent = await create('/agents', { name: 'one', capacity: 50 });
      expect(await one(`/agents/${agent.id}`, agent.token)).toMatchObject({ id: agent.id });
      const key = await create('/keys', { name: 'one', role: 'viewer' });
      expect(await listed('/keys', key.token, key.id)).toBeDefined();
      const revoked = await system.client.expect2xx('DELETE', `/keys/${key.id}`, { body: {} });
      expect(await listed('/keys', revoked.token, key.id)).toMatchObject({ revokedAt: expect.any(String) });
      for (let round = 0; round < 10; round++) {
        const needed = await create('/tasks', { title: 'needed' });
        const waiting = await create('/tasks', { title: 'waits', dependencies: [needed.id] });
        const next = (token: string) =>
          one('/tasks/next?limit=100', token) as unknown as Promise<{ items: { taskId: string }[] }>;
        const ids = (await next(`${needed.token},${waiting.token}`)).items.map(({ taskId }) => taskId);
        expect([ids.includes(needed.id), ids.includes(waiting.id)]).toEqual([true, false]);
        const claimed = await create(`/tasks/${needed.id}/claim`, { agentId: agent.id });
        expect(await one(`/tasks/${needed.id}`, claimed.token)).toMatchObject({
          state: 'in-progress',
          agentId: agent.id,
        });
        const { claims } = (await one(`/agents/${agent.id}`, claimed.token)) as unknown as {
          claims: { taskId: string }[];
        };
        expect(claims.map(({ taskId }) => taskId)).toContain(needed.id);
      }
    });

    test('across kill -9 of every process right after the answer', async () => {
      const { id } = await create('/tasks', { title: 'before' });
      const { token } = await retitle(id, 'after');
      await system.kill9(...system.parts);
      await system.restart();
      await connect();
      expect(await one(`/tasks/${id}`, token)).toMatchObject({ title: 'after' });
    });

    test('while the projection stands still: 503 and when to come again, never what was before', async () => {
      const { id, token: made } = await create('/tasks', { title: 'before' });
      await one(`/tasks/${id}`, made);
      await database.query("begin; select from read_models.progress where projection = 'tasks' for update");
      const { token } = await retitle(id, 'after');
      const answers = await Promise.all([get(`/tasks/${id}`, token), get('/tasks', token), get('/tasks/next', token)]);
      expect((await get(`/tasks/${id}`, made)).body, 'it does stand still').toMatchObject({ title: 'before' });
      expect((await get('/agents', token)).status, 'what another read model tells needs no wait').toBe(200);
      await database.query('rollback');
      for (const answer of answers) {
        expect(problem(answer)).toEqual([503, 'not-yet-visible']);
        expect(answer.headers.get('Retry-After')).toMatch(/^\d+$/);
      }
      expect(await one(`/tasks/${id}`, token)).toMatchObject({ title: 'after' });
    });

    test('when its stream is parked: 503 stream-parked, other streams are told', async () => {
      const [poisoned, healthy] = [await create('/tasks', { title: 'before' }), await create('/tasks', { title: 'x' })];
      await database.query(
        "alter table read_models.tasks_v1 add constraint poison check (title <> 'poison') not valid",
      );
      const isParked = async (token: string): Promise<void> => {
        const answer = await get(`/tasks/${poisoned.id}`, token);
        expect(problem(answer)).toEqual([503, 'stream-parked']);
        expect(answer.body['facts']).toMatchObject({ stream: `task-${poisoned.id}` });
      };
      // One after the other: in one batch only the last title is written, and that one is well.
      await isParked((await retitle(poisoned.id, 'poison')).token);
      await isParked((await retitle(poisoned.id, 'well again')).token);
      expect(await one(`/tasks/${poisoned.id}`, poisoned.token)).toMatchObject({ title: 'before' });
      expect(await one(`/tasks/${healthy.id}`, (await retitle(healthy.id, 'y')).token)).toMatchObject({ title: 'y' });
    });
  },
);
