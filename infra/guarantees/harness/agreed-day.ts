import { randomUUID } from 'node:crypto';
import { digestOf } from '@workledger/shared/aggregate/canonical-json.ts';
import { NoAnswer, type Answer, type Client } from '@workledger/shared/client/client.ts';
import type { Settings } from '../../testing/system/engine.ts';
import { again, createInsisting, type Request } from './insist.ts';

const DOCUMENTS = 3;
const COUNTERS = 4;
const PRODUCTION = '/configuration/environments/production';
const PROTOCOL = '/collaborative/protocol';
/** Nobody is asked anything: models are only chosen. */
const NOWHERE = '127.0.0.1:9';

export const agreedSettings: Settings = {
  outbound: { privateHosts: [NOWHERE] },
  models: ['small', 'large'].map((name) => ({
    name,
    url: `http://${NOWHERE}/v1`,
    model: name,
    inputUsd: 1,
    outputUsd: 5,
  })),
};

type Item = {
  readonly id: string;
  readonly deliveryId: string;
  readonly message: { readonly payload: { mark: string } };
};

export type AgreedDay = {
  /** By document: how often one was added to its counter, as far as it was accepted. */
  readonly added: ReadonlyMap<string, number>;
  /** What the limit was set to, and by which revision, in their order. */
  readonly limits: readonly { readonly revision: number; readonly seconds: number }[];
  /** Models that were chosen, and whether the one who asked said that it was good. */
  readonly routed: ReadonlyMap<string, boolean>;
  /** Messages whose effect is to be there once: what they are about, by their ids. */
  readonly sent: ReadonlyMap<string, string>;
  readonly acknowledged: ReadonlySet<string>;
  /** Answers that say no to what should be possible. */
  readonly refused: readonly string[];
  /** Commands that were accepted, all in all. */
  count(): number;
  unanswered(): number;
  /** Lets everybody bring what they began to an answer; who receives goes on. */
  stop(): Promise<void>;
  /** Nobody receives any more. */
  close(): Promise<void>;
};

/**
 * Documents, the configuration, choices of models and messages under a guarantee, all at once, by callers who ask again under their
 * idempotency keys until they are answered.
 */
export async function startAgreedDay(client: Client): Promise<AgreedDay> {
  const { insist, unanswered } = createInsisting(client);
  const added = new Map<string, number>();
  const limits: { revision: number; seconds: number }[] = [];
  const routed = new Map<string, boolean>();
  const sent = new Map<string, string>();
  const acknowledged = new Set<string>();
  const refused: string[] = [];
  let count = 0;

  async function accepted(request: Request, key?: string): Promise<Answer | null> {
    const answer = await insist(request, key);
    if (answer.status < 300) return answer;
    refused.push(`${request.method} ${request.path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return null;
  }
  async function post(path: string, body: object): Promise<Answer | null> {
    const answer = await accepted({ method: 'POST', path, body });
    if (answer !== null) count++;
    return answer;
  }

  /** Adds one to what it has read, which others have changed meanwhile. */
  async function add(turn: number): Promise<void> {
    const id = [...added.keys()][turn % added.size]!;
    const read = await accepted({ method: 'GET', path: `/documents/${id}` });
    if (read === null) return;
    const { body, revision } = read.body as unknown as { body: { counter: number }; revision: number };
    const change = { base: revision, merge: { counter: body.counter + 1 } };
    if ((await accepted({ method: 'PATCH', path: `/documents/${id}`, body: change })) === null) return;
    added.set(id, added.get(id)! + 1);
    count++;
  }

  async function set(turn: number): Promise<void> {
    const seconds = 1_000 + turn;
    const changes = [{ path: '/limits/ageingSeconds', value: seconds }];
    const answer = await accepted({ method: 'PATCH', path: PRODUCTION, body: { reason: 'for a change', changes } });
    if (answer === null) return;
    limits.push({ revision: answer.revision, seconds });
    count++;
  }

  async function choose(turn: number): Promise<void> {
    const path = '/autonomous/ai/route';
    const chosen = await post(path, { task_type: 'bug', complexity: 'low', context: {} });
    if (chosen === null) return;
    const succeeded = turn % 3 !== 0;
    if ((await post(`${path}/${chosen.id}/outcome`, { succeeded })) !== null) routed.set(chosen.id, succeeded);
  }

  const { id: agentId } = await client.expect2xx('POST', '/agents', { body: { name: 'receiver' } });
  const keyed = await client.expect2xx('POST', '/keys', { body: { name: 'receiver', role: 'agent', agentId } });
  const key = String(keyed.body['key']);

  async function send(): Promise<void> {
    const mark = randomUUID();
    const message = { type: 'work.wanted', guarantee: 'effectively-once', payload: { mark } };
    const answer = await post(PROTOCOL, { ...message, target_services: [`agent:${agentId}`] });
    if (answer !== null) sent.set(String(answer.body['id']), mark);
  }

  /** Does what it was asked for under the delivery's id, and says that it was. */
  async function receive(): Promise<void> {
    const asked = { max: 5, waitSeconds: 1, visibilitySeconds: 5 };
    const answer = await client.send('POST', `${PROTOCOL}/receive`, { body: asked, key }).catch((error: unknown) => {
      if (error instanceof NoAnswer) return null;
      throw error;
    });
    const items = answer?.status === 200 ? (answer.body['items'] as readonly Item[]) : [];
    for (const { id, deliveryId, message } of items) {
      const { payload } = message;
      const effect = { to: { kind: 'topic', topic: 'work' }, subject: payload.mark };
      if (
        (await accepted({ method: 'POST', path: '/messages', body: effect, idempotencyKey: deliveryId }, key)) === null
      )
        continue;
      const words = { deliveryId, digest: digestOf(payload) };
      const heard = await accepted({ method: 'POST', path: `${PROTOCOL}/${id}/acknowledge`, body: words }, key);
      if (heard !== null) acknowledged.add(id);
    }
  }

  for (let number = 0; number < DOCUMENTS; number++) {
    const body = { name: `document ${number}`, body: { counter: 0 }, strategy: 'field-merge' };
    const { id, token } = await client.expect2xx('POST', '/documents', { body });
    await client.expect2xx('GET', `/documents/${id}`, { token });
    added.set(id, 0);
  }
  const stopping = new AbortController();
  const closing = new AbortController();
  const acts = [...Array.from({ length: COUNTERS }, (_, by) => (turn: number) => add(turn + by)), set, choose, send];
  const running = Promise.all(acts.map((act) => again(act, stopping.signal)));
  const receiving = again(receive, closing.signal);
  running.catch(() => undefined);
  receiving.catch(() => undefined);
  return {
    ...{ added, limits, routed, sent, acknowledged, refused, unanswered },
    count: () => count,
    stop: async () => {
      stopping.abort();
      await running;
    },
    close: async () => {
      closing.abort();
      await receiving;
    },
  };
}
