import { afterAll, beforeAll, expect, test } from 'vitest';
import { inboxId } from '@workledger/shared/contexts/agent/inbox/events.ts';
import type { MessageSent } from '@workledger/shared/contexts/agent/message/events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { Principal } from '@workledger/shared/http/route.ts';
import { createKeyStore } from '@workledger/shared/security/key-store.ts';
import { createFeeds } from '@workledger/query-service/live/feeds.ts';
import { createHub, type Hub, type HubOptions } from '@workledger/query-service/live/hub.ts';
import type { Item, Listener } from '@workledger/query-service/live/listener.ts';
import { captureLog } from '../../testing/events/captured-logger.ts';
import { untilTrue } from '../../testing/processes/until.ts';
import { startReadSide, type ReadSide } from '../read-side/testing.ts';

let side: ReadSide;
let key: string;
beforeAll(async () => {
  side = await startReadSide();
  side.startProjections();
  key = await side.key('operator');
});
afterAll(() => side.close());

const [one, other] = [`agent:${newId()}`, `agent:${newId()}`];
const toOne = { kind: 'participant', participant: one } as const;
const nothing = { messageType: null, typeNumber: null, content: null, repository: null, taskId: null, replyTo: null };
const send = (to: MessageSent['to'], more: Partial<MessageSent> = {}): Promise<string> =>
  side.append(streamName('message', newId()), {
    type: 'MessageSent',
    data: { from: other, to, subject: 's', body: '', ...nothing, ...more },
  });

const hubOver = (log: EventLog, more: Partial<HubOptions> = {}): Hub => {
  const { logger } = captureLog();
  return createHub({ log, keys: createKeyStore(log), feeds: createFeeds(side.database.pool, log), logger, ...more });
};

function line(hub: Hub, actor: string, repositories: readonly string[] | null = null): Promise<Listener> {
  const keyId = key.slice(3, 35).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  const principal: Principal = { keyId, role: 'operator', agentId: null, repositories, teams: [], actor };
  return hub.connect(principal, `Bearer ${key}`);
}

/** What comes to a listener until it is quiet. */
async function heard(listener: Listener): Promise<Item[]> {
  const items: Item[] = [];
  const now = AbortSignal.timeout(500);
  for (let item = await listener.next(now); item !== null; item = await listener.next(now)) items.push(item);
  return items;
}
const subjects = (items: readonly Item[]): string[] =>
  items.flatMap((item) => (item.kind === 'frame' ? (JSON.parse(item.frame.data) as { subject: string }).subject : []));

test('2,000 idle listeners share one subscription, and cost no read', { timeout: 60_000 }, async () => {
  const counts = { subscriptions: 0, reads: 0 };
  const counted: EventLog = {
    ...side.log,
    subscribe: (options) => (counts.subscriptions++, side.log.subscribe(options)),
    readStream: (...parameters) => (counts.reads++, side.log.readStream(...parameters)),
    readAll: (options) => (counts.reads++, side.log.readAll(options)),
  };
  const hub = hubOver(counted, { heartbeat: 50, limits: { connectionsOfKey: 2_000 } });
  const before = process.memoryUsage().heapUsed;
  const lines: Listener[] = [];
  const open = async (): Promise<void> => {
    const listener = await line(hub, `agent:${newId()}`);
    await hub.subscribe(listener, ['inbox'], null);
    lines.push(listener);
  };
  for (let hundred = 0; hundred < 20; hundred++) await Promise.all(Array.from({ length: 100 }, open));
  const grown = process.memoryUsage().heapUsed - before;
  console.log(`2,000 listeners: about ${Math.round(grown / 2_000)} bytes of heap each, ${hub.counts().keys} keys`);
  const atRest = counts.reads;
  const { totalCount, idleCount } = side.database.pool;
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(counts).toEqual({ subscriptions: 1, reads: atRest });
  expect(totalCount - idleCount).toBeLessThanOrEqual(2);
  await send({ kind: 'all' });
  expect(subjects(await heard(lines[1_999] as Listener))).toEqual(['s']);
  for (const listener of lines) hub.leave(listener);
  expect(hub.counts()).toMatchObject({ listeners: 0, keys: 0 });
  hub.drain();
});

test('each hears its own: nobody else’s, nothing beyond its repositories, not what it said itself', async () => {
  const hub = hubOver(side.log);
  const [own, limited, sender] = [await line(hub, one), await line(hub, one, ['mine']), await line(hub, other)];
  for (const listener of [own, limited, sender]) await hub.subscribe(listener, ['inbox', 'topic:x'], null);
  await send(toOne, { subject: 'to one' });
  await send(toOne, { subject: 'of mine', repository: 'mine' });
  await send(toOne, { subject: 'of others', repository: 'others' });
  await send({ kind: 'all' }, { subject: 'to all' });
  await send({ kind: 'topic', topic: 'x' }, { subject: 'to x' });
  expect(subjects(await heard(own))).toEqual(['to one', 'of mine', 'of others', 'to all', 'to x']);
  expect(subjects(await heard(limited))).toEqual(['of mine']);
  expect(subjects(await heard(sender))).toEqual(['to x']);
  hub.drain();
});

test('a topic that is subscribed to while one listens comes to the inbox, and no more when it is left', async () => {
  const hub = hubOver(side.log);
  const listener = await line(hub, one);
  await hub.subscribe(listener, ['inbox'], null);
  const inbox = streamName('inbox', inboxId(one));
  const data = { participant: one, topic: 'later' };
  await send({ kind: 'topic', topic: 'later' }, { subject: 'before' });
  await side.append(inbox, { type: 'TopicSubscribed', data });
  await send({ kind: 'topic', topic: 'later' }, { subject: 'meanwhile' });
  await side.append(inbox, { type: 'TopicUnsubscribed', data });
  await send({ kind: 'topic', topic: 'later' }, { subject: 'after' });
  expect(subjects(await heard(listener))).toEqual(['meanwhile']);
  hub.drain();
});

test('one goes on in another process where it stopped: nothing twice, nothing left out', async () => {
  const first = hubOver(side.log);
  const before = await line(first, one);
  const from = await first.subscribe(before, ['inbox'], null);
  for (const number of [1, 2, 3]) await send(toOne, { subject: `m${number}` });
  const items = await heard(before);
  expect(subjects(items)).toEqual(['m1', 'm2', 'm3']);
  const second = items.flatMap((item) => (item.kind === 'frame' ? (item.frame.position ?? []) : []))[1] as bigint;
  first.drain();
  const next = hubOver(side.log);
  const after = await line(next, one);
  await next.subscribe(after, ['inbox'], second);
  await send(toOne, { subject: 'm4' });
  expect(subjects(await heard(after))).toEqual(['m3', 'm4']);
  const whole = await line(next, one);
  await next.subscribe(whole, ['inbox'], from);
  expect(subjects(await heard(whole))).toEqual(['m1', 'm2', 'm3', 'm4']);
  next.drain();
});

test('a slow reader is dropped with a notice that tells where to go on', { timeout: 30_000 }, async () => {
  const hub = hubOver(side.log);
  const listener = await line(hub, one);
  await hub.subscribe(listener, ['inbox'], null);
  for (let number = 0; number < 80; number++) await send(toOne, { body: 'x'.repeat(16_000) });
  await untilTrue(() => listener.isClosed());
  expect(await listener.next(AbortSignal.timeout(1_000))).toEqual({ kind: 'closing', reason: 'slow-reader' });
  hub.drain();
});

test('one whose key cannot be looked at goes on with what it was not told', { timeout: 30_000 }, async () => {
  let isAway = false;
  const away: EventLog = {
    ...side.log,
    readStream: (...parameters) => {
      if (isAway) throw new Error('the storage is away');
      return side.log.readStream(...parameters);
    },
  };
  const keys = createKeyStore(away);
  const hub = hubOver(away, { keys });
  const listener = await line(hub, one);
  await hub.subscribe(listener, ['inbox'], null);
  await send(toOne, { subject: 'told' });
  await send(toOne, { subject: 'taken, not told' });
  await send(toOne, { subject: 'waiting' });
  await untilTrue(() => hub.heard(listener) < hub.position());
  const taken: (Item | null)[] = [];
  for (const isTold of [true, false]) {
    const item = await listener.next(AbortSignal.timeout(1_000));
    taken.push(item);
    if (isTold && item?.kind === 'frame') listener.wrote(item.frame.position);
  }
  expect(subjects(taken.filter((item) => item !== null))).toEqual(['told', 'taken, not told']);
  isAway = true;
  keys.forget(listener.principal.keyId);
  listener.checkedAt = -Infinity;
  expect(await hub.mayHear(listener)).toBe(false);
  expect(await listener.next(AbortSignal.timeout(1_000))).toEqual({ kind: 'closing', reason: 'unavailable' });
  const cursor = hub.heard(listener);
  hub.leave(listener);
  isAway = false;
  const again = await line(hub, one);
  await hub.subscribe(again, ['inbox'], cursor);
  expect(subjects(await heard(again))).toEqual(['taken, not told', 'waiting']);
  hub.drain();
});

test('one that comes back while the service ends is not told that it heard what it did not', async () => {
  const hub = hubOver(side.log);
  const first = await line(hub, one);
  const from = await hub.subscribe(first, ['inbox'], null);
  await send(toOne, { subject: 'missed' });
  await heard(first);
  const listener = await line(hub, one);
  listener.close('shutdown');
  await hub.subscribe(listener, ['inbox'], from);
  expect(await listener.next(AbortSignal.timeout(1_000))).toEqual({ kind: 'closing', reason: 'shutdown' });
  expect(hub.heard(listener)).toBe(from);
  hub.drain();
});

test('one that comes back from too far is told to begin anew, and hears from then on', async () => {
  const hub = hubOver(side.log, { limits: { replayed: 2 } });
  const first = await line(hub, one);
  const from = await hub.subscribe(first, ['inbox'], null);
  for (const subject of ['1', '2', '3']) await send(toOne, { subject });
  await heard(first);
  const listener = await line(hub, one);
  const until = await hub.subscribe(listener, ['inbox'], from);
  await send(toOne, { subject: '4' });
  const items = await heard(listener);
  const told = items.map((item) => item.kind === 'frame' && [item.frame.event, item.frame.position]);
  expect(told.slice(-2)).toMatchObject([
    ['reset', until],
    ['message', expect.any(BigInt)],
  ]);
  expect(subjects(items.slice(-1))).toEqual(['4']);
  const within = await line(hub, one);
  await hub.subscribe(within, ['inbox'], until);
  expect(subjects(await heard(within))).toEqual(['4']);
  hub.drain();
});

test('a key has so many lines and frames, and a line so many feeds', async () => {
  const hub = hubOver(side.log, { limits: { connectionsOfKey: 2, subscriptions: 2, framesPerSecond: 3 } });
  const listener = await line(hub, one);
  await line(hub, one);
  await expect(line(hub, one)).rejects.toMatchObject({ code: 'too-many-connections' });
  await expect(hub.subscribe(listener, ['inbox', 'topic:a', 'topic:b'], null)).rejects.toMatchObject({
    code: 'out-of-range',
  });
  const { keyId } = listener.principal;
  await new Promise((resolve) => setTimeout(resolve, 1_050 - (performance.now() % 1_000)));
  expect([1, 2, 3, 4].map(() => hub.bounds.takes(keyId))).toEqual([true, true, true, false]);
  hub.leave(listener);
  await line(hub, one);
  hub.drain();
  await expect(line(hub, one)).rejects.toMatchObject({ code: 'unavailable' });
});
