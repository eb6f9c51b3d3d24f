import { randomUUID } from 'node:crypto';
import { issueStreamId } from '@workledger/shared/contexts/sync/delivery/events.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectNothing, startService, type Service } from '../api/testing/service.ts';
import { routeDelivery } from '../domain/delivery.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { judgeAge } from './known.ts';
import { github } from './providers/github.ts';
import { another, labeled, rules, senderTo } from './testing.ts';

let service: Service;
beforeAll(async () => {
  service = await startService({ secrets: ['current secret'], rules });
});
afterAll(() => service.close());

const send = senderTo(() => service);

describe('a delivery that was captured', () => {
  test('and comes under other ids, one after the other or at once, has no second effect', async () => {
    const body = another({ ...labeled, issue: { ...labeled.issue, number: 81 } });
    const first = await send(body);
    const head = await service.log.head();
    const told = [await send(body), ...(await Promise.all([send(body), send(body, { event: 'push' })]))];
    for (const { status, body } of told)
      expect([status, body]).toEqual([
        200,
        { ...first.body, redelivery: true, judgedAt: expect.any(String), next: expect.stringContaining('/retry') },
      ]);
    expect(await service.log.head()).toBe(head);
  });

  test('at the same time as it is delivered is recorded once', async () => {
    const body = another({ ...labeled, issue: { ...labeled.issue, number: 82 } });
    const told = await Promise.all(Array.from({ length: 5 }, () => send(body)));
    expect(told.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 202]);
    expect(new Set(told.map((each) => each.body['id'])).size).toBe(1);
  });

  test('what was ignored stays ignored, and the receipt says how to start now', async () => {
    const body = another({ ...labeled, sender: { login: 'mallory' } });
    await send(body);
    const told = await send(body);
    expect([told.status, told.body]).toMatchObject([
      200,
      { outcome: 'ignored', redelivery: true, next: expect.stringContaining('POST /api/v1/tasks') },
    ]);
  });
});

describe('deliveries come in any order', () => {
  const at = (updated_at: string, number: number, change: object = {}) =>
    another({ ...labeled, ...change, issue: { ...labeled.issue, number, updated_at } });
  const closing = { action: 'closed', label: undefined };

  test('a label from before the closing starts nothing', async () => {
    expect((await send(at('2026-11-28T12:00:05Z', 83, closing))).body).toMatchObject({ outcome: 'routed' });
    expect((await send(at('2026-11-28T12:00:01Z', 83))).body).toMatchObject({
      outcome: 'ignored',
      reason: expect.stringContaining('the newer state counts'),
    });
    expect((await send(at('2026-11-28T12:00:06Z', 83))).body).toMatchObject({ outcome: 'routed' });
  });

  test('a closing from before the label ends nothing, and one of the same second does', async () => {
    expect((await send(at('2026-11-28T12:00:05Z', 84))).body).toMatchObject({ outcome: 'routed' });
    expect((await send(at('2026-11-28T13:00:04+01:00', 84, closing))).body).toMatchObject({ outcome: 'ignored' });
    expect((await send(at('2026-11-28T12:00:05Z', 84, closing))).body).toMatchObject({ outcome: 'routed' });
  });

  test('a state that leads to nothing makes no other one old', async () => {
    const strange = { action: 'edited', sender: { login: 'mallory' }, label: undefined };
    await send(at('2026-11-28T12:00:09Z', 85, strange));
    await send(at('2026-11-28T12:00:09Z', 85, { ...closing, sender: { login: 'mallory' } }));
    expect((await send(at('2026-11-28T12:00:05Z', 85))).body).toMatchObject({ outcome: 'routed' });
  });

  test('the newest state is found by one event, however many there are', async () => {
    const target = issueStreamId('github', 'acme/shop', 86);
    await service.database.pool.query(
      `insert into event_log.events (position, stream, revision, id, type, version, recorded_at, data, metadata)
       select position + n, $1, n - 1, gen_random_uuid(), 'IssueStateNoted', 1, now(),
              json_build_object('updatedAt', '2026-11-28T12:00:05.000Z'), metadata
       from generate_series(1, 3000) n, (select position, metadata from event_log.events order by position desc limit 1) last`,
      [`delivery-${target}`],
    );
    await service.database.pool.query(
      'update event_log.head set position = (select max(position) from event_log.events)',
    );
    const reads: number[] = [];
    const { readStream } = service.log;
    const log = { ...service.log, readStream: counted(readStream, reads) };
    const signal = github.read('issues', {
      headers: {},
      bytes: Buffer.from(JSON.stringify(at('2026-11-28T12:00:01Z', 86))),
      mediaType: 'application/json',
      receivedAt: new Date(),
    });
    const context = { actor: 'system', correlationId: randomUUID() };
    const outcome = routeDelivery('github', signal, rules);
    expect(
      await judgeAge({ log, commands: service.commands }, 'github', signal, outcome, context, rules),
    ).toMatchObject({
      reason: expect.stringContaining('the newer state counts'),
    });
    expect(reads.length).toBe(1);
  });
});

function counted(readStream: EventLog['readStream'], reads: number[]): EventLog['readStream'] {
  return async function* (...parameters) {
    for await (const event of readStream(...parameters)) {
      reads.push(event.revision);
      yield event;
    }
  };
}

describe('a repository with a secret of its own', () => {
  let own: Service;
  beforeAll(async () => {
    own = await startService({
      secrets: ['everybody'],
      repositorySecrets: new Map([['acme/shop', ['its own']]]),
      rules,
    });
  });
  afterAll(() => own.close());
  const toOwn = senderTo(() => own);
  const ask = (payload: unknown, secret: string) => toOwn(payload, { secret });
  const of = (full_name: string) => another({ ...labeled, repository: { ...labeled.repository, full_name } });

  test('is verified with that one alone, whatever the case of its name', async () => {
    expect((await ask(of('ACME/Shop'), 'its own')).status).toBe(202);
    await expectNothing(own, () => ask(of('acme/shop'), 'everybody'), 401, 'bad-signature');
  });

  test('cannot sign for another one, nor for nobody', async () => {
    await expectNothing(own, () => ask(of('acme/other'), 'its own'), 401, 'bad-signature');
    await expectNothing(own, () => ask('{}', 'its own'), 401, 'bad-signature');
    expect((await ask(of('acme/other'), 'everybody')).status).toBe(202);
  });

  test('is not told from an unknown one by the answer', async () => {
    const told = [await ask(of('acme/shop'), 'guess'), await ask(of('acme/none'), 'guess'), await ask('[', 'guess')];
    const same = told.map(({ status, body: { correlationId: _, ...body } }) => JSON.stringify([status, body]));
    expect(new Set(same).size).toBe(1);
  });
});
