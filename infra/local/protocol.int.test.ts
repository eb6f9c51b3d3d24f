import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { digestOf } from '@workledger/shared/aggregate/canonical-json.ts';
import type { Json } from '@workledger/shared/contexts/sync/document/json.ts';
import type { EventJson } from '@workledger/shared/events/event-json.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seeds } from '../testing/events/random.ts';
import { until } from '../testing/processes/until.ts';
import { embedded } from '../testing/system/embedded.ts';
import type { RunningSystem } from '../testing/system/engine.ts';
import { runGuide } from '../testing/system/guide.ts';
import { unreliable } from '../testing/system/unreliable.ts';

const PROTOCOL = '/collaborative/protocol';
const GUARANTEES = ['at-most-once', 'at-least-once', 'effectively-once'];
const MESSAGES = 15;
const VISIBILITY_SECONDS = 2;
const [seed] = seeds(1) as [number];

let system: RunningSystem;
beforeAll(async () => {
  system = await embedded.start();
}, 60_000);
afterAll(() => system.dispose());

const create = async (path: string, body: object) => system.client.expect2xx('POST', path, { body });
/** Somebody who receives, and their key. */
async function newAgent(name: string): Promise<{ id: string; target: string; key: string }> {
  const { id } = await create('/agents', { name });
  const { body } = await create('/keys', { name, role: 'agent', agentId: id });
  return { id, target: `agent:${id}`, key: String(body['key']) };
}
async function newMember(name: string, teams: readonly string[]): Promise<string> {
  const { id } = await create('/users', { name, role: 'viewer', teams });
  const { body } = await create('/keys', { name, role: 'viewer', userId: id });
  return String(body['key']);
}

type Item = {
  readonly id: string;
  readonly deliveryId: string;
  readonly number: number;
  readonly guarantee: string;
  readonly message: { readonly payload: Json };
};
type Delivery = { readonly id: string; readonly state: string; readonly handings: number; readonly proof: unknown };

test('the guide does what it says, by its own lines', async () => {
  const agent = await newAgent('ann');
  const folder = system.folder;
  const environment = {
    ...{ WORKLEDGER: new URL(system.client.urlOf('/')).origin, AGENT: agent.id, AGENT_KEY: agent.key },
    KEY: (await readFile(join(folder, 'data', 'admin-key'), 'utf8')).trim(),
  };
  const { code, output } = await runGuide('protocol.md', { cwd: folder, environment });
  expect({ code, output }).toMatchObject({ code: 0 });
  const [received, first, again, proof, state, proved] = output.trim().split('\n');
  expect(received).toBe('build.done 7, handed over 1 time');
  expect(first).toBe(again);
  expect(JSON.parse(proof!)).toMatchObject({ by: agent.target, revision: 2 });
  expect([state, proved]).toEqual(['acknowledged after 1', 'proved']);
}, 60_000);

test('what is for a team is for whoever of it asks first, and nobody else sees it', async () => {
  const [inTeam, alsoIn, other] = [
    await newMember('a', ['web']),
    await newMember('b', ['web']),
    await newMember('c', []),
  ];
  const sent = await create(PROTOCOL, {
    ...{ type: 'x', payload: { secret: 1 }, guarantee: 'at-least-once', target_services: ['team:web'] },
  });
  expect(sent.status).toBe(202);
  const receive = async (key: string, waitSeconds = 0) => {
    const body = { waitSeconds, visibilitySeconds: 600 };
    const answer = await system.client.expect2xx('POST', `${PROTOCOL}/receive`, { body, key });
    return answer.body['items'] as Item[];
  };
  expect(await receive(other)).toEqual([]);
  const [item] = await receive(inTeam, 20);
  expect(item).toMatchObject({
    id: sent.id,
    number: 1,
    message: { payload: { secret: 1 }, target_services: ['team:web'] },
  });
  expect(await receive(alsoIn)).toEqual([]);

  const path = `${PROTOCOL}/${sent.id}`;
  const status = async (key: string) => (await system.client.send('GET', path, { key })).status;
  expect([await status(other), await status(alsoIn)]).toEqual([404, 200]);
  const { body } = await system.client.expect2xx('GET', path, { key: alsoIn });
  expect(body).toMatchObject({ payload: null, digest: null, deliveries: [{ target: 'team:web' }] });

  const words = { body: { deliveryId: item!.deliveryId, digest: digestOf({ secret: 1 }) } };
  const acknowledge = (key: string) => system.client.send('POST', `${path}/acknowledge`, { ...words, key });
  expect((await acknowledge(alsoIn)).status, 'only whoever has it acknowledges it').toBe(404);
  const [first, repeat] = [await acknowledge(inTeam), await acknowledge(inTeam)];
  expect([first.status, repeat.body]).toEqual([200, first.body]);
}, 60_000);

test(`over a channel that drops and repeats, with receivers that die and one kill -9 (SEED=${seed})`, async () => {
  const channel = unreliable(system.client, seed);
  const agents = [await newAgent('bob'), await newAgent('cem')];
  const sender = String((await create('/keys', { name: 'sender', role: 'operator' })).body['key']);
  const ids = new Set<string>();
  /** Which handings over were really in a receiver's hands. */
  const received = new Map<string, Set<number>>();
  const done = new AbortController();

  const send = async (number: number): Promise<void> => {
    const body = {
      ...{
        type: 'work.wanted',
        guarantee: GUARANTEES[number % 3],
        payload: { number, ünïcode: [1.5, null], '10': 1, '9': 2 },
      },
      target_services: agents.map(({ target }) => target),
    };
    for (;;) {
      const answer = await channel.ask(PROTOCOL, body, sender, `send-${number}`);
      if (answer?.status === 202) return void ids.add(String(answer.body['id']));
    }
  };
  const work = async ({ key }: (typeof agents)[number]): Promise<void> => {
    const body = { max: 3, waitSeconds: 1, visibilitySeconds: VISIBILITY_SECONDS };
    const items = (await channel.ask(`${PROTOCOL}/receive`, body, key))?.body['items'] as Item[] | undefined;
    for (const { id, deliveryId, number, message } of items ?? []) {
      received.set(deliveryId, (received.get(deliveryId) ?? new Set()).add(number));
      // It dies before it did anything, after, or it never hears whether it was heard.
      if (channel.chance(0.1)) return;
      const effect = { to: { kind: 'topic', topic: 'work' }, subject: deliveryId };
      const acted = await channel.ask('/messages', effect, key, deliveryId);
      if (acted?.status !== 201 || channel.chance(0.1)) continue;
      const acknowledgement = { deliveryId, digest: digestOf(message.payload) };
      const heard = await channel.ask(`${PROTOCOL}/${id}/acknowledge`, acknowledgement, key);
      if (heard !== null && heard.status < 500) expect(heard.status).toBe(200);
    }
    if (items === undefined) await pause(50);
  };
  const receivers = agents.map(async (agent) => {
    while (!done.signal.aborted) await work(agent);
  });
  const half = Math.floor(MESSAGES / 2);
  for (let number = 0; number < half; number++) await send(number);
  await system.kill9('service');
  await Promise.all([system.restart(), send(half)]);
  for (let number = half + 1; number < MESSAGES; number++) await send(number);
  await pause(1_500);
  channel.calm();

  await until(
    'all that is to come to have come',
    async () => {
      const path = `${PROTOCOL}?type=work.wanted&guarantee=at-least-once,effectively-once&state=pending,sent&limit=100`;
      const { body } = await system.client.expect2xx('GET', path);
      return (body['items'] as Delivery[]).length === 0;
    },
    60,
  );
  await pause(VISIBILITY_SECONDS * 1_000);
  done.abort();
  await Promise.all(receivers);

  expect(ids.size).toBe(MESSAGES);
  const log = await system.client.log();
  for (const id of ids) await verify(id, log, received);
  const { broken, repeated, dropped } = channel.counts();
  expect(Math.min(broken, repeated, dropped)).toBeGreaterThan(3);
}, 120_000);

/** As an auditor would, by the log alone: what was promised, and that each proof is what stands there. */
async function verify(
  id: string,
  log: readonly EventJson[],
  received: ReadonlyMap<string, ReadonlySet<number>>,
): Promise<void> {
  const events = log.filter(({ stream }) => stream === `dispatch-${id}`);
  const [sent] = events as [EventJson];
  const { guarantee, payload, digest } = sent.data as { guarantee: string; payload: string; digest: string };
  expect(createHash('sha256').update(payload).digest('hex')).toBe(digest);
  const { body } = await system.client.expect2xx('GET', `${PROTOCOL}/${id}`);
  for (const { id: deliveryId, proof } of body['deliveries'] as Delivery[]) {
    const own = events.filter(({ data }) => (data as { deliveryId?: string }).deliveryId === deliveryId);
    const handings = own.filter(({ type }) => type === 'DispatchHandedOver').length;
    const acknowledged = own.filter(({ type }) => type === 'DispatchAcknowledged');
    const effects = log.filter(
      ({ type, data }) => type === 'MessageSent' && (data as { subject: string }).subject === deliveryId,
    ).length;
    const inHands = received.get(deliveryId)?.size ?? 0;
    expect(acknowledged.length).toBeLessThanOrEqual(1);
    if (guarantee === 'at-most-once') expect([handings, inHands <= 1, effects <= 1]).toEqual([1, true, true]);
    else expect([acknowledged.length, inHands >= 1]).toEqual([1, true]);
    if (guarantee === 'effectively-once') expect(effects).toBe(1);
    const [event] = acknowledged;
    if (event === undefined) expect(proof).toBeNull();
    else {
      const { stream, revision, position, id: eventId } = event;
      const { by } = event.data as { by: string };
      expect(proof).toMatchObject({ stream, revision, position: String(position), eventId, by, digest });
    }
  }
}
