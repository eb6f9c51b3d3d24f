import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId, streamId, streamName } from '@workledger/shared/contexts/stream.ts';
import { problemCode } from '../../testing/servers/application.ts';
import { startReadSide, type ReadSide } from './testing.ts';
import { cancelled, createdTask, newTaskStream } from '../../testing/events/task-events.ts';

let side: ReadSide;
let patient: ReadSide;

beforeAll(async () => {
  side = await startReadSide(150);
  patient = await startReadSide();
  patient.startProjections();
});

afterAll(async () => {
  await side.close();
  await patient.close();
});

const withToken = (token: string) => ({ 'Consistency-Token': token });

it('a query says that it cannot see a command yet while the read model stands still', async () => {
  const stream = newTaskStream();
  const token = await side.append(stream, createdTask());
  const told = await side.get(`/tasks/${streamId(stream)}`, withToken(token));
  expect([told.status, problemCode(told)]).toEqual([503, 'not-yet-visible']);
  expect(told.headers.get('Retry-After')).toBe('1');
});

it('a query that carries the token of a command sees its effect, every time', async () => {
  const stream = newTaskStream();
  const id = streamId(stream);
  for (const [revision, event] of [createdTask(), cancelled].entries()) {
    const token = await patient.append(stream, event);
    const told = await patient.get(`/tasks/${id}`, withToken(token));
    expect([told.status, told.body['revision']]).toEqual([200, revision]);
  }
  const token = await patient.append(stream, { type: 'TaskRetried', data: { reason: 'again' } });
  expect((await patient.get(`/tasks?token=${token}&status=pending`)).body['items']).toMatchObject([
    { id, state: 'pending' },
  ]);
});

it('many queries at once each see their own command', async () => {
  const seen = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const stream = newTaskStream();
      const token = await patient.append(stream, createdTask());
      return (await patient.get(`/tasks/${streamId(stream)}`, withToken(token))).status;
    }),
  );
  expect(seen).toEqual(seen.map(() => 200));
});

it('a stream that the read model does not follow needs no wait', async () => {
  const token = `${streamName('delivery', newId())}@7`;
  expect((await side.get('/tasks', withToken(token))).status).toBe(200);
});

it('a stream that has stopped answers at once that it has', async () => {
  const stream = streamName('agent', newId());
  const token = await patient.append(stream, { type: 'AgentActivated', data: {} });
  const told = await patient.get('/agents', withToken(token));
  expect([told.status, problemCode(told)]).toEqual([503, 'stream-parked']);
  expect(told.body['facts']).toMatchObject({ stream, readModel: 'agents', parkedAt: 0 });
});

it.each(['nonsense', 'task-1@0', `${newTaskStream()}@x`, `${newTaskStream()}`, `${newTaskStream()}@0,`])(
  'a token that cannot be read is refused: %s',
  async (token) => {
    const told = await side.get('/tasks', withToken(token));
    expect([told.status, problemCode(told)]).toEqual([400, 'invalid-request']);
  },
);
