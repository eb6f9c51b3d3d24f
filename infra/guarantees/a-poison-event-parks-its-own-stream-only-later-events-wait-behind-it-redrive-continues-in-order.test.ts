import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { redriveRoute } from '@workledger/command-service/api/parked-route.ts';
import { tasks } from '@workledger/projections/tasks/projection.ts';
import {
  append,
  database,
  expectRebuiltEqualsLive,
  logged,
  mend,
  neighbourOf,
  POISON,
  start,
  titleOf,
  useFragileWorld,
} from '@workledger/projections/testing/fragile.ts';
import { untilHolds } from '@workledger/projections/testing/engine.ts';
import { listAllParked } from '@workledger/query-service/api/parked.ts';
import { createSettle } from '@workledger/query-service/reading/consistency.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { captureLog } from '../testing/events/captured-logger.ts';
import { createdTask, newTaskStream, retitled } from '../testing/events/task-events.ts';
import { serve, type TestClient } from '../testing/servers/application.ts';

describe('a poison event parks its own stream only, later events wait behind it, redrive continues in order: read models (embedded)', () => {
  useFragileWorld();
  let client: TestClient;
  let stop: () => Promise<void>;

  beforeEach(async () => {
    const { pool } = database;
    const { logger } = captureLog();
    const keyId = newId();
    client = await serve({
      routes: [listAllParked({ pool }, createSettle({ pool })), redriveRoute({ pool, logger })],
      authenticate: async () => ({
        keyId,
        role: 'operator',
        agentId: null,
        repositories: null,
        teams: [],
        actor: `key:${keyId}`,
      }),
      logger,
    });
    stop = start();
  });
  afterEach(() => client.stop());

  const parked = async (): Promise<unknown> =>
    (await client.ask('GET', '/api/v1/parked', { key: 'operator' })).body['items'];
  const redrive = async (stream: string): Promise<number> =>
    (
      await client.ask('POST', '/api/v1/parked/redrive', {
        key: 'operator',
        json: { kind: 'read-model', name: tasks.name, stream },
      })
    ).status;

  test('every event of the stream is applied once and in order, and no other stream waits', async () => {
    const stream = newTaskStream();
    const neighbour = neighbourOf(stream);
    await append(stream, 0, createdTask({ title: 'fine' }), retitled(POISON), retitled('first behind'));
    await append(neighbour, 0, createdTask({}), retitled('elsewhere'));
    await untilHolds(async () => expect(await titleOf(neighbour)).toBe('elsewhere'));
    await append(stream, 3, retitled('second behind'));
    await append(neighbour, 2, retitled('on'));
    await untilHolds(async () => expect(await titleOf(neighbour)).toBe('on'));
    expect(await titleOf(stream)).toBe('fine');
    expect(await parked()).toEqual([
      {
        ...{ kind: 'read-model', name: 'tasks', stream, key: '', revision: 1, waiting: null },
        ...{ reason: 'Error: cannot digest this', parkedAt: expect.any(String) as string },
      },
    ]);

    expect(await redrive(neighbour)).toBe(404);
    mend();
    expect(await redrive(stream)).toBe(202);
    await untilHolds(async () => expect(await parked()).toEqual([]));
    expect(await titleOf(stream)).toBe('second behind');
    await append(stream, 4, retitled('later'));
    await untilHolds(async () => expect(await titleOf(stream)).toBe('later'));
    expect(await parked()).toEqual([]);
    expect(logged.filter((message) => message.startsWith('stream parked'))).toHaveLength(1);
    await expectRebuiltEqualsLive();
    await stop();
  });
});
