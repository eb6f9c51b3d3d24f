import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refuse } from '../commands/refusal.ts';
import { OutcomeUnknown } from '../event-log/errors.ts';
import type { EventLog } from '../event-log/port.ts';
import { createPostgresEventLog } from '../event-log/postgres/event-log.ts';
import type { KeyEvent } from '../contexts/agent/key/events.ts';
import { newId } from '../contexts/stream.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import type { Aggregate } from './aggregate.ts';
import { createHandler } from './handle.ts';
import { createStreamCache } from './stream-cache.ts';

/** A key, cut down to what handling needs: it can be created once and revoked any number of times. */
const key: Aggregate<number, KeyEvent, { create: { name: string }; revoke: { reason: string } }> = {
  type: 'key',
  initial: 0,
  evolve: (count) => count + 1,
  decisions: {
    create: ({ name }, count) =>
      count > 0
        ? refuse('already-exists', 'it exists')
        : [{ type: 'KeyCreated', data: { name, role: 'viewer', agentId: null, secretHash: '' } }],
    revoke: ({ reason }, count) =>
      count === 0 ? refuse('not-found', 'it does not') : [{ type: 'KeyRevoked', data: { reason } }],
  },
};
const context = () => ({ actor: 'system', correlationId: newId() });

let database: TestDatabase;
let log: EventLog;
beforeAll(async () => {
  database = await createTestDatabase();
  log = await createPostgresEventLog({ connectionString: database.url });
});
afterAll(async () => {
  await log.close();
  await database.drop();
});

async function countOf(id: string): Promise<number> {
  let count = 0;
  for await (const event of log.readStream(`key-${id}`)) count += event.type === '' ? 0 : 1;
  return count;
}

/** The real log on a bad line: the first `times` answers are lost, after or before the append took effect. */
const badLine = (times: number, arrives: boolean): EventLog => {
  let lost = 0;
  return {
    ...log,
    append: async (stream, events, expected) => {
      if (lost++ >= times) return log.append(stream, events, expected);
      if (arrives) await log.append(stream, events, expected);
      throw new OutcomeUnknown(stream, new Error('line cut'));
    },
  };
};

describe('when the answer of an append is lost', () => {
  it.each([
    ['after it took effect', true],
    ['before it took effect', false],
  ])('%s, the command still takes effect once', async (_, arrives) => {
    const { handle, load } = createHandler(badLine(2, arrives), key);
    const id = newId();
    const answer = await handle(id, { type: 'create', data: { name: 'Ann' } }, context());
    expect(answer).toMatchObject({ id, stream: `key-${id}`, revision: 0, token: `key-${id}@0`, details: {} });
    expect(await countOf(id)).toBe(1);
    expect((await load(id)).state).toBe(1);
  });

  it('for good, that is said, and a repeat under the same key settles it', async () => {
    const id = newId();
    const keyed = { ...context(), commandId: newId() };
    const command = { type: 'create', data: { name: 'Ann' } } as const;
    await expect(createHandler(badLine(6, true), key).handle(id, command, keyed)).rejects.toThrow(OutcomeUnknown);
    expect(await createHandler(log, key).handle(id, command, keyed)).toMatchObject({ revision: 0 });
    expect(await countOf(id)).toBe(1);
  });
});

it('state that was pushed out of memory is read again', async () => {
  const { handle } = createHandler(log, key, { cache: createStreamCache(1_000) });
  const ids = [newId(), newId()];
  for (const id of ids) await handle(id, { type: 'create', data: { name: 'Ann' } }, context());
  for (const id of ids)
    expect(await handle(id, { type: 'revoke', data: { reason: 'lost' } }, context())).toMatchObject({ revision: 1 });
});

it('fifty callers of one stream in one process all get through', async () => {
  const { handle, load } = createHandler(log, key);
  const id = newId();
  await handle(id, { type: 'create', data: { name: 'Ann' } }, context());
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      handle(id, { type: 'revoke', data: { reason: String(index) } }, context()),
    ),
  );
  expect(answers.map(({ revision }) => revision)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
  expect((await load(id)).state).toBe(51);
});

it('what the log refuses as too large is refused to the caller', async () => {
  const { handle } = createHandler(log, key);
  const id = newId();
  await expect(handle(id, { type: 'create', data: { name: 'x'.repeat(300_000) } }, context())).rejects.toMatchObject({
    name: 'CommandRefused',
    code: 'too-large',
  });
  expect(await countOf(id)).toBe(0);
});
