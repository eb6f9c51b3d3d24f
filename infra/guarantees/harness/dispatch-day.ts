import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { digestOf } from '@workledger/shared/aggregate/canonical-json.ts';
import type { Client } from '@workledger/shared/client/client.ts';
import type { EventJson } from '@workledger/shared/events/event-json.ts';
import { unreliable, type Answered } from '../../testing/system/unreliable.ts';
import { again } from './insist.ts';

const PROTOCOL = '/collaborative/protocol';
const GUARANTEES = ['at-most-once', 'at-least-once', 'effectively-once'] as const;
const VISIBILITY_SECONDS = 3;
/** Whoever sends waits while so many are on their way. */
const MOST_ON_THEIR_WAY = 60;
/** Who receives dies no more over what came so often: it would be given up in the end. */
const MOST_DEATHS = 5;
/** Before whoever was not answered asks again. */
const PAUSE_MILLISECONDS = 50;

type Guarantee = (typeof GUARANTEES)[number];
type Item = {
  readonly id: string;
  readonly deliveryId: string;
  readonly number: number;
  readonly guarantee: Guarantee;
  readonly message: { readonly payload: { mark: string } };
};

export type DispatchDay = {
  /** What was sent: under which guarantee, and what it is about, by its id. */
  readonly sent: ReadonlyMap<string, { readonly guarantee: Guarantee; readonly mark: string }>;
  readonly refused: readonly string[];
  /** Whether all that is to come is acknowledged. */
  isHeard(): boolean;
  /** Nothing more is sent, and the channel drops and repeats no more. */
  stop(): Promise<void>;
  /** Nobody receives any more. */
  close(): Promise<void>;
};

/**
 * Messages under each guarantee, over a channel that drops and repeats, from somebody who asks again until they are answered to an agent
 * that dies now and then, and does what it is asked for as a message of its own.
 */
export async function startDispatchDay(client: Client, seed: number): Promise<DispatchDay> {
  const channel = unreliable(client, seed);
  const sent = new Map<string, { guarantee: Guarantee; mark: string }>();
  const acknowledged = new Set<string>();
  const refused: string[] = [];
  let hasDied = false;
  const { id: agentId } = await client.expect2xx('POST', '/agents', { body: { name: 'receiver' } });
  const keyOf = async (body: object): Promise<string> =>
    String((await client.expect2xx('POST', '/keys', { body })).body['key']);
  const key = await keyOf({ name: 'receiver', role: 'agent', agentId });
  const sender = await keyOf({ name: 'sender', role: 'operator' });
  const onTheirWay = (): string[] =>
    [...sent].flatMap(([id, { guarantee }]) => (guarantee === 'at-most-once' || acknowledged.has(id) ? [] : [id]));

  /** Null: whoever asked does not know, or is asked to come again. */
  function taken(what: string, answer: Answered | null): Answered | null {
    if (answer === null || answer.status >= 500) return null;
    if (answer.status < 300) return answer;
    refused.push(`${what}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return null;
  }

  /** The same again under its key until it is answered. Null: it is refused. */
  async function insist(path: string, body: object, by: string, idempotencyKey?: string): Promise<Answered | null> {
    const before = refused.length;
    for (;;) {
      const answer = taken(path, await channel.ask(path, body, by, idempotencyKey));
      if (answer !== null || refused.length > before) return answer;
      await pause(PAUSE_MILLISECONDS);
    }
  }

  async function send(turn: number): Promise<void> {
    if (onTheirWay().length >= MOST_ON_THEIR_WAY) return;
    const about = { guarantee: GUARANTEES[turn % GUARANTEES.length]!, mark: randomUUID() };
    const message = { type: 'work.wanted', guarantee: about.guarantee, payload: { mark: about.mark } };
    const answer = await insist(PROTOCOL, { ...message, target_services: [`agent:${agentId}`] }, sender, about.mark);
    if (answer !== null) sent.set(String(answer.body['id']), about);
  }

  /** Does what it was asked for, under the delivery's id where that is to be done once, and says that it was; or dies before. */
  async function receive(): Promise<void> {
    const asked = { max: 5, waitSeconds: 1, visibilitySeconds: VISIBILITY_SECONDS };
    const items = taken('to receive', await channel.ask(`${PROTOCOL}/receive`, asked, key))?.body['items'] ?? [];
    for (const { id, deliveryId, number, guarantee, message } of items as readonly Item[]) {
      // Over one that will come again it dies whatever chance says, since a short day may have no other.
      const dies = (chance: number): boolean => {
        if (hasDied || guarantee === 'at-most-once') return number <= MOST_DEATHS && channel.chance(chance);
        hasDied = true;
        return true;
      };
      if (dies(0.05)) return;
      const { payload } = message;
      const effect = { to: { kind: 'topic', topic: 'work' }, subject: payload.mark };
      const once = guarantee === 'effectively-once' ? deliveryId : `${deliveryId}-${number}`;
      if ((await insist('/messages', effect, key, once)) === null || dies(0.3)) continue;
      const words = { deliveryId, digest: digestOf(payload) };
      if ((await insist(`${PROTOCOL}/${id}/acknowledge`, words, key)) !== null) acknowledged.add(id);
    }
  }

  const stopping = new AbortController();
  const closing = new AbortController();
  const sending = again(send, stopping.signal);
  const receiving = again(receive, closing.signal);
  for (const running of [sending, receiving]) running.catch(() => undefined);
  return {
    ...{ sent, refused },
    isHeard: () => onTheirWay().length === 0,
    stop: async () => {
      stopping.abort();
      await sending;
      channel.calm();
    },
    close: async () => {
      closing.abort();
      await receiving;
    },
  };
}

/** By id of what was dispatched: how often it was handed over, acknowledged, and had its effect, as the log has it. */
export function outcomesOf(
  { sent }: Pick<DispatchDay, 'sent'>,
  events: readonly EventJson[],
): ReadonlyMap<string, Readonly<Record<'sent' | 'handed' | 'acknowledged' | 'effects', number>>> {
  const types = new Map<string, number>();
  const effects = new Map<string, number>();
  const count = (counts: Map<string, number>, name: string): unknown => counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const { stream, type, data } of events)
    if (type === 'MessageSent') count(effects, (data as { subject: string }).subject);
    else if (stream.startsWith('dispatch-')) count(types, `${type} ${stream.slice('dispatch-'.length)}`);
  const ids = new Set([...types.keys()].map((name) => name.split(' ')[1]!));
  return new Map(
    [...new Set([...ids, ...sent.keys()])].map((id) => [
      id,
      {
        sent: types.get(`DispatchSent ${id}`) ?? 0,
        handed: types.get(`DispatchHandedOver ${id}`) ?? 0,
        acknowledged: types.get(`DispatchAcknowledged ${id}`) ?? 0,
        effects: effects.get(sent.get(id)?.mark ?? '') ?? 0,
      },
    ]),
  );
}
