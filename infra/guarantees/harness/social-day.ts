import { randomUUID } from 'node:crypto';
import type { Client } from '@workledger/shared/client/client.ts';
import { until } from '../../testing/processes/until.ts';
import { listenForMessages } from './inbox-listener.ts';
import { again, createInsisting, type Request } from './insist.ts';

/** A command that was answered 2xx: where its event is, and the words that no other has. */
export type Said = { readonly at: string; readonly mark: string };

/** Who has an inbox. */
export type Reader = { readonly participant: string; readonly key: string };

/** A question, and each answer that was accepted to it. */
type Asked = { readonly id: string; readonly accepted: string[]; readonly refused: string[] };

export type SocialDay = {
  readonly said: readonly Said[];
  readonly readers: readonly Reader[];
  /** By participant: the messages to them that were accepted. */
  readonly sent: ReadonlyMap<string, readonly string[]>;
  /** By participant: the messages that came by the live channel, in their order. */
  readonly heard: ReadonlyMap<string, readonly string[]>;
  readonly asked: readonly Asked[];
  /** By id: what an entry of knowledge is called since its last accepted change. */
  readonly titles: ReadonlyMap<string, string>;
  /** Answers that say no to what should be possible, and lines of the live channel that it should not have. */
  readonly refused: readonly string[];
  /** Requests that met a 5xx or no answer, and were sent again under their key. */
  unanswered(): number;
  /** Lets everybody bring what they began to an answer; listeners go on. */
  stop(): Promise<void>;
  /** Ends the listeners. */
  hush(): Promise<void>;
};

const READERS = 3;

/**
 * Issues, comments, messages, knowledge, users and questions, all at once: people with a key of the administrator, and agents with
 * keys of their own who read, listen, ask and answer; what got no answer is sent again under its idempotency key.
 */
export async function startSocialDay(client: Client): Promise<SocialDay> {
  const said: Said[] = [];
  const refused: string[] = [];
  const sent = new Map<string, string[]>();
  const heard = new Map<string, string[]>();
  const asked: Asked[] = [];
  const titles = new Map<string, string>();
  const { insist, unanswered } = createInsisting(client);
  const stopping = new AbortController();
  const hushing = new AbortController();

  /** A command whose event holds words of its own. @returns null: it was refused, and that is noted */
  async function say(request: Request, mark: string, key?: string): Promise<string | null> {
    const answer = await insist(request, key);
    if (answer.status >= 300) {
      refused.push(`${request.method} ${request.path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return null;
    }
    const [at = ''] = answer.token.split(',').filter((token) => token.includes(answer.id));
    if (mark !== '') said.push({ at, mark });
    return answer.id;
  }

  const mark = (what: string): string => `${what} ${randomUUID()}`;
  const post = (path: string, body: object = {}): Request => ({ method: 'POST', path, body });

  async function report(): Promise<void> {
    const [title, body, resolution] = [mark('issue'), mark('comment'), mark('resolution')];
    const issueId = await say(post('/issues', { title, priority: 'high' }), title);
    if (issueId === null) return;
    await say(post('/comments', { issueId, body }), body);
    await say(post(`/issues/${issueId}/start`), '');
    await say(post(`/issues/${issueId}/resolve`, { resolution }), resolution);
  }

  async function write(): Promise<void> {
    const [title, next] = [mark('entry'), mark('entry')];
    const id = await say(post('/knowledge', { title, content: 'What is known.' }), title);
    if (id === null) return;
    titles.set(id, title);
    if ((await say({ method: 'PATCH', path: `/knowledge/${id}`, body: { title: next } }, next)) !== null)
      titles.set(id, next);
  }

  async function takeOn(): Promise<void> {
    const name = mark('user');
    await say(post('/users', { name, role: 'viewer' }), name);
  }

  async function speak(readers: readonly Reader[], turn: number): Promise<void> {
    const { participant } = readers[turn % readers.length]!;
    const subject = mark('message');
    const id = await say(post('/messages', { to: { kind: 'participant', participant }, subject }), subject);
    if (id !== null) sent.get(participant)!.push(id);
  }

  async function ask(): Promise<void> {
    const text = mark('question');
    const askee = { kind: 'role', role: 'admin' };
    const id = await say(post('/questions', { text, askee, choices: ['yes', 'no'] }), text);
    if (id === null) return;
    const one: Asked = { id, accepted: [], refused: [] };
    asked.push(one);
    const answerIt = async (answer: string): Promise<void> => {
      const { status, body } = await insist(post(`/questions/${id}/answer`, { choice: answer }));
      if (status < 300) one.accepted.push(answer);
      else one.refused.push(`${status} ${String(body['type']).split('/').at(-1)}`);
    };
    await Promise.all([answerIt('yes'), answerIt('no')]);
  }

  /** Reads what is new, and says so. */
  async function read({ key }: Reader): Promise<void> {
    const page = await client.send('GET', '/inbox?unread=true&limit=20', { key }).catch(() => null);
    const items = page?.status === 200 ? (page.body['items'] as readonly { id: string }[]) : [];
    for (const { id } of items) await say(post(`/inbox/${id}/read`), '', key);
  }

  async function makeReader(_: unknown, number: number): Promise<Reader> {
    const { id } = await client.expect2xx('POST', '/agents', { body: { name: `reader ${number}` } });
    const { body } = await client.expect2xx('POST', '/keys', { body: { name: 'reader', role: 'agent', agentId: id } });
    return { participant: `agent:${id}`, key: String(body['key']) };
  }
  const readers = await Promise.all(Array.from({ length: READERS }, makeReader));
  for (const { participant } of readers) {
    sent.set(participant, []);
    heard.set(participant, []);
  }

  const open = new Set<string>();
  const listening = Promise.all(
    readers.map(({ participant, key }) =>
      listenForMessages({
        client,
        key,
        signal: hushing.signal,
        onOpen: () => open.add(participant),
        onMessage: (id) => heard.get(participant)!.push(id),
        onReset: (why) => refused.push(`live channel of ${participant}: ${why}`),
      }),
    ),
  );
  // What is said before one listens is not heard.
  await until('everybody to listen', () => open.size === readers.length);
  const { signal } = stopping;
  const acts: readonly ((turn: number) => Promise<void>)[] = [
    report,
    write,
    takeOn,
    (turn) => speak(readers, turn),
    (turn) => speak(readers, turn + 1),
    ...readers.map((reader) => () => read(reader)),
    ask,
  ];
  const running = Promise.all(acts.map((act) => again(act, signal)));
  running.catch(() => undefined);
  listening.catch(() => undefined);
  return {
    ...{ said, readers, sent, heard, asked, titles, refused },
    unanswered,
    stop: async () => {
      stopping.abort();
      await running;
    },
    hush: async () => {
      hushing.abort();
      await listening;
    },
  };
}
